import type { Clock } from '../http/clock.ts';
import type { Http, HttpRequest } from '../http/http.ts';
import { Failure } from '../outcome.ts';
import type { Challenge } from './challenge.ts';
import type { RegistryCredential } from './credentials.ts';
import { realmOf } from './hosts.ts';

interface TokenRequest {
  readonly http: Http;
  readonly clock: Clock;
  readonly mask: (secret: string) => void;
  readonly host: string;
  readonly endpoint: string;
  readonly trustedRealms: readonly string[];
  readonly challenge: Challenge;
  readonly credential: RegistryCredential | undefined;
  readonly scopes: readonly string[];
}

/** Token answers are small (security rules: 64 KiB). */
const LIMIT = 64 * 1024;

/**
 * Gets a bearer token for these scopes (distribution project, "Token Authentication Specification"; with an identity
 * token "OAuth2 Token Authentication"). `until` is when it should be used no more, in the clock's milliseconds: the
 * server's own date is not compared with ours.
 */
export async function fetchToken(wanted: TokenRequest): Promise<{ authorization: string; until: number }> {
  const { http, clock, host, credential } = wanted;
  const realm = realmOf(wanted.challenge.parameters.realm, host, wanted.endpoint, wanted.trustedRealms);
  const asked = clock.now();
  const response = await http.request({
    ...tokenRequest(realm, wanted),
    limit: LIMIT,
    codes: { unreachable: 'registry-unreachable', invalid: 'registry-failed' },
  });
  if (!response.ok) {
    const denied = response.status === 401 || response.status === 403;
    const who = credential === undefined ? 'an anonymous request' : 'the credentials';
    throw new Failure(
      denied ? 'registry-denied' : 'registry-failed',
      `The token server of ${host} refused ${who}: ${http.describe(response)}.`,
      denied && credential === undefined
        ? {
            remedy: `Log in to ${host}: \`registries\`, or docker login. Pull requests of forks have no credentials.`,
          }
        : {},
    );
  }
  const { token, access_token, expires_in } = response.json() as Record<string, unknown>;
  const text = typeof token === 'string' && token !== '' ? token : access_token;
  // A token becomes a header; nothing but visible characters may get into it.
  if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text)) {
    throw new Failure('registry-failed', `The token server of ${host} answered without a usable token.`);
  }
  wanted.mask(text);
  // "If omitted, this defaults to 60 seconds." A tenth is left for the way.
  const seconds = typeof expires_in === 'number' && expires_in > 0 ? expires_in : 60;
  return { authorization: `Bearer ${text}`, until: asked + seconds * 900 };
}

function tokenRequest(realm: URL, wanted: TokenRequest): HttpRequest {
  const { credential, scopes } = wanted;
  const service = wanted.challenge.parameters.service;
  if (credential?.identityToken !== undefined) {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: credential.identityToken,
      client_id: 'knowngood',
      scope: scopes.join(' '),
      ...(service === undefined ? {} : { service }),
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { url: realm.href, method: 'POST', idempotent: true, headers, body: form.toString() };
  }
  if (service !== undefined) realm.searchParams.append('service', service);
  for (const scope of scopes) realm.searchParams.append('scope', scope);
  if (credential === undefined) return { url: realm.href };
  const basic = Buffer.from(`${credential.username}:${credential.password}`).toString('base64');
  return { url: realm.href, authorization: `Basic ${basic}` };
}
