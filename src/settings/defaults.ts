import type { Event, Host } from '../hosts/host.ts';
import type { Settings } from './schema.ts';

export interface Credential {
  readonly username: string;
  readonly password: string;
}

/** Name of the recipe where neither setting nor file gives one: the repository's, else the folder's. */
export function recipeName(event: Event, workspace: string): string {
  const source = event.repository.slug ?? workspace;
  return (source.split(/[\\/]/).filter(Boolean).at(-1) ?? 'recipe').toLowerCase();
}

/** GHCR's image of the repository; other hosts have no registry of their own. GHCR names are lower-case. */
export function defaultImage(event: Event): string | undefined {
  const { slug, webUrl } = event.repository;
  if (event.host !== 'github' || slug === undefined || !webUrl?.startsWith('https://github.com/'))
    return undefined;
  return `ghcr.io/${slug.toLowerCase()}`;
}

/** In every CI the repository's own remote, branch `knowngood`; a terminal must name its ledger. */
export function ledgerAddress(
  settings: Settings,
  event: Event,
  fleet: string | undefined,
): string | undefined {
  if (settings.ledger !== undefined) return settings.ledger;
  if (fleet !== undefined) return fleet;
  return event.repository.cloneUrl === undefined ? undefined : `git:${event.repository.cloneUrl}#knowngood`;
}

/**
 * Credentials by registry host, for exactly that host: `registries`, then `registry-username` and `-password` for
 * the image's own, and on GitHub the job's token for ghcr.io. Pull requests of forks get none.
 */
export function registryCredentials(
  settings: Settings,
  host: Pick<Host, 'event' | 'jobToken'>,
  imageHost: string | undefined,
): ReadonlyMap<string, Credential> {
  const credentials = new Map<string, Credential>();
  if (host.event.pullRequest?.fork === true && host.event.kind === 'pull-request') return credentials;
  if (host.jobToken !== undefined) {
    credentials.set(host.jobToken.registry, {
      username: host.jobToken.username,
      password: host.jobToken.token,
    });
  }
  for (const [name, entry] of Object.entries(
    (settings.registries ?? {}) as Record<string, Partial<Credential>>,
  )) {
    credentials.set(name.toLowerCase(), {
      username: String(entry.username ?? ''),
      password: String(entry.password ?? ''),
    });
  }
  if (imageHost !== undefined && settings.registryPassword !== undefined) {
    const { username = '' } = host.jobToken?.registry === imageHost ? host.jobToken : {};
    credentials.set(imageHost, {
      username: settings.registryUsername ?? username,
      password: settings.registryPassword,
    });
  }
  return credentials;
}
