import { Failure } from '../outcome.ts';
import type { Dockerfile } from './dockerfile.ts';
import { byteOrder } from './order.ts';

type Values = Readonly<Record<string, string>>;

/** What says of a name's last words that it is about a secret and holds none: `TOKEN_URL`, `SECRET_NAME`. */
const ABOUT =
  'URL|URI|HOST|PORT|FILE|PATH|DIR|NAME|LENGTH|SIZE|TTL|EXPIRY|VERSION|TYPE|ALGORITHM|ENABLED|REQUIRED';
const SECRET = new RegExp(
  `(?:^|_)(?:${[
    '[A-Z0-9]*PASS(?:WORD|WD|PHRASE)',
    'PASS|PWD|CREDENTIALS?|PAT',
    '[A-Z0-9]*(?:SECRETS?|TOKEN|APIKEY|AUTHKEY)',
    '(?:API|ACCESS|PRIVATE|SECRET|SIGNING|SSH|DEPLOY|ENCRYPTION|MASTER|LICEN[CS]E)_KEY',
  ].join('|')})(?!(?:_[A-Z0-9]+)*_(?:${ABOUT})$)(?:_|$)`,
);

/**
 * The build arguments that go into a recipe: those that the Dockerfile declares, sorted; any other changes no byte of
 * the image. Fails with `build-arg-secret` for a name that looks like one of a secret, declared or not: builders
 * write build arguments into the image's history and into their logs.
 */
export function declaredBuildArgs(dockerfile: Dockerfile, given: Values): Values {
  const secret = Object.keys(given).filter(looksSecret).sort(byteOrder);
  if (secret.length > 0) {
    const names = secret.map((name) => `\`${name}\``).join(', ');
    throw new Failure(
      'build-arg-secret',
      secret.length === 1
        ? `The build argument ${names} has the name of a secret; its value would be readable in the image.`
        : `The build arguments ${names} have names of secrets; their values would be readable in the image.`,
    );
  }
  const args = [...dockerfile.args, ...dockerfile.stages.flatMap((stage) => stage.args)];
  // BuildKit takes its frontend from this one, declared or not.
  const declared = new Set([...args.map(({ name }) => name), 'BUILDKIT_SYNTAX']);
  return Object.fromEntries(
    Object.entries(given)
      .filter(([name]) => declared.has(name))
      .sort(([a], [b]) => byteOrder(a, b)),
  );
}

/** `NPM_TOKEN`, `dbPassword`, `aws-secret-access-key`; not `TOKEN_URL`, `PATH`, `MAX_TOKENS`, `COMPASS`. */
export function looksSecret(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
  return SECRET.test(words);
}
