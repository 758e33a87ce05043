import { Failure } from '../outcome.ts';

/** Whether a URL's hostname names this machine: `localhost`, 127.0.0.0/8, `[::1]`. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}

/** Whether this host may be spoken to over plain HTTP: loopback, or named as `host[:port]` by the user. */
export function mayBePlain(url: URL, insecure: readonly string[]): boolean {
  return isLoopback(url.hostname) || insecure.some((host) => host.toLowerCase() === url.host);
}

/** Reads a URL that we may send to: http(s), no credentials in it, plain HTTP only where that is allowed. */
export function allowedUrl(text: string, insecure: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new Failure('setting-invalid', `${JSON.stringify(text.slice(0, 200))} is not an http(s) address.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new Failure('setting-invalid', `The address of ${url.host} has credentials in it.`, {
      remedy: 'Give credentials in their own setting: addresses appear in logs.',
    });
  }
  if (url.protocol === 'http:' && !mayBePlain(url, insecure)) {
    throw new Failure('plain-http', `Plain HTTP to ${url.host} is refused.`);
  }
  return url;
}

/** A URL for messages: without query and fragment, where signatures and tokens are. */
export function shownUrl(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
