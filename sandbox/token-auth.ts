import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './command.ts';
import type { Answer, Recorded } from './fault-proxy.ts';

export interface Account {
  readonly username: string;
  readonly password: string;
}

/** What a token may be given for; the account is undefined for a request without credentials. */
export type Allow = (account: Account | undefined, repository: string, action: string) => boolean;

export interface TokenIssuer {
  /** Path of the certificate that the registry trusts. */
  readonly certificate: string;
  readonly service: string;
  readonly issuer: string;
  /** Answers `/token` as GitHub's registry does: GET only. */
  answer(request: Recorded): Answer | undefined;
}

/**
 * A token server in the manner of the distribution's token authentication: JWTs of the ES256 kind with the
 * certificate in their header. Clients that try OAuth's POST first are answered 405, so that they use GET.
 */
export async function tokenIssuer(
  folder: string,
  accounts: readonly Account[],
  allow: Allow,
  expiresIn: number,
  env: Readonly<Record<string, string>>,
): Promise<TokenIssuer> {
  mkdirSync(folder, { recursive: true });
  const keyFile = join(folder, 'key.pem');
  const certificate = join(folder, 'certificate.pem');
  const kind = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '30',
  ];
  const files = ['-keyout', keyFile, '-out', certificate, '-subj', '/CN=sandbox-token'];
  await command(['openssl', 'req', ...kind, ...files], { env: { ...process.env, ...env } });
  const key = createPrivateKey(readFileSync(keyFile));
  const chain = new X509Certificate(readFileSync(certificate)).raw.toString('base64');
  const service = 'sandbox-registry';
  const issuer = 'sandbox-issuer';

  const token = (subject: string, scopes: readonly string[], account: Account | undefined): string => {
    const access = scopes.flatMap((scope) => {
      const parts = /^([a-z]+):(.+):([a-z*,]+)$/.exec(scope);
      if (!parts) return [];
      const [, type, name, actions] = parts;
      return [{ type, name, actions: actions!.split(',').filter((action) => allow(account, name!, action)) }];
    });
    const now = Math.floor(Date.now() / 1000);
    const times = { nbf: now - 60, iat: now, exp: now + expiresIn };
    const head = encoded({ typ: 'JWT', alg: 'ES256', x5c: [chain] });
    const claims = encoded({
      iss: issuer,
      sub: subject,
      aud: service,
      ...times,
      jti: `${now}-${nonce++}`,
      access,
    });
    const signed = Buffer.from(`${head}.${claims}`);
    return `${signed}.${sign('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };

  return {
    certificate,
    service,
    issuer,
    answer: (request) => {
      const url = new URL(request.path, 'http://token');
      if (url.pathname !== '/token') return undefined;
      if (request.method !== 'GET') return { status: 405, headers: { allow: 'GET' } };
      const sent = basic(request.headers.authorization);
      const account = accounts.find(
        (one) => one.username === sent?.username && one.password === sent.password,
      );
      if (sent && !account) return refusal(401, 'UNAUTHORIZED', 'authentication required');
      const scopes = url.searchParams.getAll('scope').flatMap((scope) => scope.split(' '));
      const body = { token: token(account?.username ?? '', scopes, account), expires_in: expiresIn };
      return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    },
  };
}

let nonce = 0;

/** Username and password of an Authorization header of the Basic kind. */
export function basic(header: string | string[] | undefined): Account | undefined {
  const value = /^basic (.+)$/i.exec(String(header ?? ''))?.[1];
  if (value === undefined) return undefined;
  const [username, ...rest] = Buffer.from(value, 'base64').toString().split(':');
  return { username: username ?? '', password: rest.join(':') };
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const refusal = (status: number, code: string, message: string): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ errors: [{ code, message }] }),
});
