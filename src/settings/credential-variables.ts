import { settingsTable } from './schema.ts';

/** How hosts, clouds and people name variables that hold a credential. */
const TELLING =
  /(?:^|_)(?:TOKEN|PASSWORD|PASSWD|SECRET|SECRETS|APIKEY|API_KEY|PRIVATE_KEY|SIGNING_KEY|ACCESS_KEY|CREDENTIALS)(?:$|_)/;

/** Names that tell of a credential and hold none: files of the job, and switches. */
const HARMLESS = /^(?:GITHUB_TOKEN_PERMISSIONS|SSH_AUTH_SOCK)$/;

/**
 * Names of the environment's variables that hold a credential, sorted; never their values. A program on the host can
 * read them in our own process even where it is not given them, so host commands ask first.
 */
export function credentialVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const secret = new Set(
    Object.entries(settingsTable).flatMap(([name, spec]) => ('secret' in spec ? [plain(name)] : [])),
  );
  return Object.entries(env)
    .filter(([name, value]) => {
      if (value === undefined || value === '' || HARMLESS.test(name)) return false;
      const setting = /^(?:INPUT|PLUGIN|KNOWNGOOD)_(.+)$/i.exec(name)?.[1];
      return (setting !== undefined && secret.has(plain(setting))) || TELLING.test(name.toUpperCase());
    })
    .map(([name]) => name)
    .sort();
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
