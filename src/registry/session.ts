import type { Clock } from '../http/clock.ts';
import type { Attempt, Http, HttpRequest, HttpResponse } from '../http/http.ts';
import { type Reference, repositoryName } from '../oci/reference.ts';
import type { Failure } from '../outcome.ts';
import { failureOf } from './answers.ts';
import { type Challenge, chosenChallenge } from './challenge.ts';
import { type Credentials, secretsOf } from './credentials.ts';
import { endpointOf } from './hosts.ts';
import { fetchToken } from './token.ts';

export interface SessionOptions {
  readonly http: Http;
  readonly clock: Clock;
  readonly credentials: Credentials;
  /** Hosts that may be spoken to over plain HTTP; the same that the Http was given. */
  readonly insecure?: readonly string[];
  /** Hosts of token servers that the user named: the keys of `registries`. */
  readonly trustedRealms?: readonly string[];
  /** Told every secret before its first use, so that nothing shows it. */
  readonly mask?: (secret: string) => void;
}

/** A request to a repository. Give `path` below the repository (`manifests/1.0`), or a whole `url` of the same host. */
export interface RegistryRequest extends Omit<HttpRequest, 'url' | 'authorization' | 'codes'> {
  readonly path?: string;
  readonly url?: string;
  readonly doing: 'pull' | 'push';
  /** Another repository that must be readable too, to mount from. */
  readonly from?: string;
}

/** Speaks to registries with the right `Authorization` for each repository. */
export interface Session {
  readonly http: Http;
  /** With retries. The answer may have any status. */
  send(reference: Reference, request: RegistryRequest): Promise<HttpResponse>;
  /** One try. */
  attempt(reference: Reference, request: RegistryRequest): Promise<Attempt<HttpResponse>>;
  urlOf(reference: Reference, path: string): string;
  /** The Failure that this answer means, with the remedy that fits. */
  failure(reference: Reference, doing: 'pull' | 'push', response: HttpResponse, tag?: string): Failure;
}

type Send<T> = (request: HttpRequest) => Promise<T>;

const codesOf = (request: RegistryRequest) => ({
  unreachable: 'registry-unreachable' as const,
  // What is read verbatim is content with a digest.
  invalid: request.verbatim === true ? ('manifest-invalid' as const) : ('registry-failed' as const),
});

/**
 * A session asks first without credentials, and answers the challenge (distribution project, "Token Authentication";
 * RFC 7617 for Basic). What a host asked for once is then given at once: one token per repository and action, since a
 * token for several repositories is more than a request needs.
 */
export function createSession(options: SessionOptions): Session {
  const { http, clock, insecure = [] } = options;
  const challenges = new Map<string, Challenge>();
  const anonymous = new Map<string, boolean>();
  const tokens = new Map<string, Promise<{ authorization: string; until: number }>>();
  const masked = new Set<string>();

  function mask(secret: string): void {
    if (masked.has(secret)) return;
    masked.add(secret);
    options.mask?.(secret);
  }

  async function credentialOf(host: string) {
    const credential = await options.credentials(host);
    anonymous.set(host, credential === undefined);
    for (const secret of credential === undefined ? [] : secretsOf(credential)) mask(secret);
    return credential;
  }

  const scopesOf = (reference: Reference, { doing, from }: RegistryRequest): string[] => [
    `repository:${reference.repository}:${doing === 'push' ? 'pull,push' : 'pull'}`,
    ...(from === undefined ? [] : [`repository:${from}:pull`]),
  ];

  /** What to send as `Authorization`, by what the host has asked for so far. */
  async function authorization(reference: Reference, request: RegistryRequest): Promise<string | undefined> {
    const host = reference.registry;
    const challenge = challenges.get(host);
    if (challenge === undefined) return undefined;
    const credential = await credentialOf(host);
    if (challenge.scheme === 'basic') {
      if (credential === undefined) return undefined;
      return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
    }
    if (credential?.registryToken !== undefined) return `Bearer ${credential.registryToken}`;
    const scopes = scopesOf(reference, request);
    const key = [host, ...scopes].join(' ');
    // No turn is given up where there is none: two requests at once would fetch one each.
    const pending = tokens.get(key);
    const known = pending === undefined ? undefined : await pending.catch(() => undefined);
    if (known !== undefined && known.until > clock.now()) return known.authorization;
    const endpoint = endpointOf(host, insecure);
    const trustedRealms = options.trustedRealms ?? [];
    const fetched = fetchToken({
      http,
      clock,
      mask,
      host,
      endpoint,
      trustedRealms,
      challenge,
      credential,
      scopes,
    });
    tokens.set(key, fetched);
    return (await fetched).authorization;
  }

  async function authorised<T>(
    reference: Reference,
    request: RegistryRequest,
    send: Send<T>,
    answerIn: (result: T) => HttpResponse | undefined,
  ): Promise<T> {
    const host = reference.registry;
    const url = request.url ?? urlOf(reference, request.path ?? '');
    const base: HttpRequest = { ...request, url, codes: codesOf(request) };
    const first = await authorization(reference, request);
    const result = await send({ ...base, ...(first === undefined ? {} : { authorization: first }) });
    const answer = answerIn(result);
    if (answer?.status !== 401) return result;
    const challenge = chosenChallenge(answer.headers['www-authenticate']);
    if (challenge === undefined) return result;
    if (new URL(answer.url).origin !== new URL(url).origin)
      return elsewhere(reference, request, answer, challenge, send);
    challenges.set(host, challenge);
    // The token may have ended before its time: once more with a new one. A password does not get better.
    tokens.delete([host, ...scopesOf(reference, request)].join(' '));
    const second = await authorization(reference, request);
    if (second === undefined || second === first) return result;
    return send({ ...base, authorization: second });
  }

  /**
   * A gateway sent us on to another registry (as lscr.io does), which wants a token of its own. It gets an anonymous
   * one: our credentials are for the host that was named, and nobody chose the other one.
   */
  async function elsewhere<T>(
    reference: Reference,
    request: RegistryRequest,
    answer: HttpResponse,
    challenge: Challenge,
    send: Send<T>,
  ): Promise<T> {
    const { origin, host } = new URL(answer.url);
    const scopes =
      challenge.parameters.scope === undefined ? scopesOf(reference, request) : [challenge.parameters.scope];
    const asked = {
      http,
      clock,
      mask,
      host,
      endpoint: origin,
      trustedRealms: [],
      challenge,
      credential: undefined,
      scopes,
    };
    const token = await fetchToken(asked);
    return send({ ...request, url: answer.url, codes: codesOf(request), authorization: token.authorization });
  }

  function urlOf(reference: Reference, path: string): string {
    return `${endpointOf(reference.registry, insecure)}/v2/${reference.repository}/${path}`;
  }

  return {
    http,
    urlOf,
    send: (reference, request) =>
      authorised(
        reference,
        request,
        (full) => http.request(full),
        (response) => response,
      ),
    attempt: (reference, request) =>
      authorised(
        reference,
        request,
        (full) => http.attempt(full),
        (result) => ('done' in result ? result.done : undefined),
      ),
    failure: (reference, doing, response, tag) =>
      failureOf(
        response,
        {
          image: repositoryName(reference),
          registry: reference.registry,
          doing,
          tag,
          anonymous: anonymous.get(reference.registry) ?? true,
        },
        http.describe(response),
      ),
  };
}
