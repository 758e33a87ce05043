import { Failure } from '../outcome.ts';
import type { ReasonCode } from '../reasons.ts';
import { allowedUrl, isLoopback, shownUrl } from './origin.ts';

/** What is sent to one address of a chain of redirects. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly authorization?: string | undefined;
}

/** Headers that say nothing about who asks; all others stay with the origin they were meant for. */
const HARMLESS: ReadonlySet<string> = new Set(['accept', 'accept-encoding', 'user-agent', 'range']);

/** Whether an answer sends us elsewhere. */
export function isRedirect(status: number, location: string | undefined): location is string {
  return [301, 302, 303, 307, 308].includes(status) && location !== undefined;
}

/**
 * Where a redirect leads. To another origin goes only a GET or HEAD, without
 * credentials, and neither from https to http nor from elsewhere to this machine: a registry that is asked for a
 * blob must not make us speak to services beside us. Fails with `code`.
 */
export function nextHop(
  status: number,
  location: string,
  hop: Hop,
  rules: { readonly insecure: readonly string[]; readonly code: ReasonCode },
): Hop {
  const from = `${hop.method} ${shownUrl(hop.url)}`;
  const refuse = (why: string) =>
    new Failure(rules.code, `${from} was redirected ${why}; that is not followed.`);
  if (!URL.canParse(location, hop.url.href)) throw refuse('to no address');
  const target = new URL(location, hop.url.href);
  const reading = hop.method === 'GET' || hop.method === 'HEAD';
  const same = target.origin === hop.url.origin;
  if (!reading && !(same && status >= 307)) throw refuse('although it sends something');
  if (hop.url.protocol === 'https:' && target.protocol !== 'https:')
    throw refuse('from https to something less');
  if (isThisMachine(target.hostname) && !isLoopback(hop.url.hostname)) throw refuse('to this machine');
  let url: URL;
  try {
    url = allowedUrl(target.href, rules.insecure);
  } catch (cause) {
    throw new Failure(rules.code, `${from} was redirected where we do not go.`, { cause });
  }
  if (same) return { ...hop, url };
  const headers = Object.entries(hop.headers).filter(([name]) => HARMLESS.has(name.toLowerCase()));
  return { url, method: hop.method, headers: Object.fromEntries(headers) };
}

/** Loopback, and the other spellings that end there: the trailing dot, the zero address, IPv4 written as IPv6. */
function isThisMachine(hostname: string): boolean {
  return isLoopback(hostname.replace(/\.$/, '')) || /^(?:0\.0\.0\.0|\[::\]|\[::ffff:7f.*\])$/.test(hostname);
}
