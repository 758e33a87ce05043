import { isLoopback, mayBePlain } from '../http/origin.ts';
import { Failure } from '../outcome.ts';

const HUB_NAMES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** The host that a key of `registries` or of the Docker config file means: a host, or an address as old versions wrote. */
export function hostOfKey(key: string): string {
  const host = key
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '')
    .toLowerCase();
  return HUB_NAMES.has(host) ? 'docker.io' : host;
}

/** Where the API of a registry is, `https://ghcr.io`; plain HTTP for loopback and for hosts that the user named. */
export function endpointOf(registry: string, insecure: readonly string[]): string {
  // Docker Hub's API has another name than its images.
  if (registry === 'docker.io') return 'https://registry-1.docker.io';
  const url = new URL(`https://${registry}`);
  return isLoopback(url.hostname) || mayBePlain(url, insecure) ? `http://${registry}` : `https://${registry}`;
}

/**
 * Registries whose tokens another host issues, as their operators document it. Elsewhere a realm on another host
 * would let a registry, or whoever answers in its place, choose who gets the password.
 */
const REALMS: Readonly<Record<string, readonly string[]>> = {
  'docker.io': ['auth.docker.io'],
  'registry-1.docker.io': ['auth.docker.io'],
  'registry.gitlab.com': ['gitlab.com'],
  'lscr.io': ['ghcr.io'],
};

/**
 * The token server that a challenge names, if we may go there: on the registry's own host and port, or one of the
 * table, or one that the user named in `registries`. Never from https down to http.
 */
export function realmOf(
  realm: string | undefined,
  registry: string,
  endpoint: string,
  trusted: readonly string[],
): URL {
  const refuse = (why: string) =>
    new Failure('registry-denied', `${registry} wants tokens to be fetched ${why}.`, {
      remedy: 'If that is right, add the host of the token server to `registries`.',
    });
  if (realm === undefined || !URL.canParse(realm)) throw refuse('from no address');
  const url = new URL(realm);
  const own = new URL(endpoint);
  const hosts = [own.host, ...(REALMS[registry] ?? []), ...trusted];
  if (!hosts.includes(url.host)) throw refuse(`from another host, ${url.host}`);
  if (url.protocol !== 'https:' && url.protocol !== own.protocol) throw refuse('over plain HTTP');
  if (url.username !== '' || url.password !== '') throw refuse('with credentials of its own choice');
  return url;
}
