import type { GitCredential } from '../git/environment.ts';
import type { Git } from '../git/git.ts';
import type { Mirrored } from '../git/mirror.ts';
import type { Environment } from '../hosts/detect.ts';
import type { Host } from '../hosts/host.ts';
import type { Settings } from '../settings/schema.ts';
import { once } from './once.ts';

/**
 * Mirroring with a git of its own. Where `mirror-token` is set it is the only credential, for the forge of
 * `forge-token` alone: what may write to mirrors is shown to nobody else, and nothing else writes to them.
 */
export function mirrorTool({
  host,
  settings,
  env,
  scratch,
  signal,
  git,
}: {
  readonly host: Host;
  readonly settings: Settings;
  readonly env: Environment;
  readonly scratch: () => Promise<string>;
  readonly signal: AbortSignal;
  /** The git of everything else, with the credentials of everything else. */
  readonly git: () => Promise<Git>;
}): (upstream: string, own: string) => Promise<Mirrored> {
  const rules = { insecureHosts: settings.insecureRegistries, folder: host.workspace };
  const own = once(async (): Promise<Git> => {
    const password = settings.mirrorToken;
    if (password === undefined) return git();
    const [{ createGit }, { parseRemote }, { mkdtemp }, { join }] = await Promise.all([
      import('../git/git.ts'),
      import('../git/remote.ts'),
      import('node:fs/promises'),
      import('node:path'),
    ]);
    const addresses = [settings.forgeUrl, host.event.repository.cloneUrl];
    const origins = addresses.flatMap((address) =>
      address === undefined ? [] : (parseRemote(address, rules).origin ?? []),
    );
    const credentials = [...new Set(origins)].map(
      (origin): GitCredential => ({ origin, username: 'x-access-token', password }),
    );
    host.log.mask(password);
    return createGit({
      scratch: await mkdtemp(join(await scratch(), 'mirrors-')),
      environment: env,
      credentials,
      signal,
    });
  });
  return async (upstream, mirrored) => {
    const [{ mirror }, { parseRemote }] = await Promise.all([
      import('../git/mirror.ts'),
      import('../git/remote.ts'),
    ]);
    return mirror(await own(), parseRemote(upstream, rules), parseRemote(mirrored, rules));
  };
}
