import type { Http } from '../http/http.ts';

/** Decoded bytes of one answer; GitHub's largest pages of ours are far below. */
const LIMIT = 16 * 1024 * 1024;

/**
 * The `fetch` that Octokit is given: our own HTTP, so that proxies, limits, masking and "credentials to one origin"
 * are the same for a forge as for a registry. One try: Octokit's retry and throttling plugins know GitHub's own
 * rules for trying again.
 */
export function octokitFetch(http: Http, signal: AbortSignal): typeof fetch {
  return async (input, init = {}) => {
    const url = String(input instanceof Request ? input.url : input);
    const { authorization, ...headers } = Object.fromEntries(new Headers(init.headers));
    const body = init.body;
    const answer = await http.request({
      url,
      method: init.method ?? 'GET',
      headers,
      ...(authorization === undefined ? {} : { authorization }),
      ...(typeof body === 'string' ? { body } : {}),
      tries: 1,
      limit: LIMIT,
      signal,
      codes: { unreachable: 'forge-unreachable', invalid: 'forge-failed' },
    });
    const empty = answer.status === 204 || answer.status === 205 || answer.status === 304;
    const response = new Response(empty ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: answer.headers,
    });
    Object.defineProperty(response, 'url', { value: answer.url });
    return response;
  };
}
