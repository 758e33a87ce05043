import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { notesService, releases } from '../../demo/notes-service.ts';
import { command } from '../../sandbox/command.ts';
import { gitEnv, gitServer, makeBareCopy, makeRepository, type Repository } from '../../sandbox/index.ts';

/** A small web service under git, behind HTTP at `<server>/acme/notes.git`, as a host of pipelines would clone it. */
export interface HostedProject {
  readonly repository: Repository;
  /** `http://127.0.0.1:<port>` */
  readonly server: string;
  /** Path of the bare repository behind it. */
  readonly remote: string;
  /** Publishes refs; `main` and all tags without any. */
  push(...refs: readonly string[]): Promise<void>;
  commitOf(ref: string): Promise<string>;
  /** A checkout as Drone's and Woodpecker's clone steps make one: that ref alone. */
  checkout(ref: string, url?: string): Promise<string>;
  /** A file of the ledger, which is a branch beside the others. */
  ledger(file: string): Promise<string>;
  stop(): Promise<void>;
}

/** Reading is open; who pushes (the ledger) needs this token, or the one that the project was made with. */
export const ledgerToken = 'ledger-token-of-the-tests';

/** Makes it with the first releases of the service, up to `newest`. */
export async function makeProject(
  names: { readonly base: string; readonly image: string },
  newest = '1.0.0',
  options: { readonly slug?: string; readonly token?: string } = {},
): Promise<HostedProject> {
  const { slug = 'acme/notes', token = ledgerToken } = options;
  const root = mkdtempSync(join(tmpdir(), 'knowngood-hosted-'));
  const repository = await makeRepository(join(root, 'author'));
  for (const release of releases) {
    await repository.commit(`notes ${release.version}`, notesService(release, names));
    await repository.tag(release.version);
    if (release.version === newest) break;
  }
  const remote = join(root, 'served', `${slug}.git`);
  mkdirSync(dirname(remote), { recursive: true });
  await makeBareCopy(repository, remote);
  const accounts = [{ username: 'x-access-token', password: token }];
  const server = await gitServer(join(root, 'served'), { accounts, openToRead: true });
  const git = (cwd: string, ...args: readonly string[]): Promise<string> =>
    command(['git', ...args], { cwd, env: gitEnv() });
  let checkouts = 0;
  return {
    repository,
    server: server.url,
    remote,
    push: async (...refs) => {
      await repository.git('push', '-q', remote, ...(refs.length === 0 ? ['main', '--tags'] : refs));
    },
    commitOf: async (ref) => (await repository.git('rev-parse', `${ref}^{commit}`)).trim(),
    checkout: async (ref, url = `${server.url}/${slug}.git`) => {
      const folder = join(root, 'checkouts', `${++checkouts}`, 'notes');
      mkdirSync(folder, { recursive: true });
      await git(folder, 'init', '-q', '-b', 'main');
      await git(folder, 'remote', 'add', 'origin', remote);
      await git(folder, 'fetch', '-q', '--no-tags', '--depth=1', 'origin', ref);
      await git(folder, 'checkout', '-q', '--detach', 'FETCH_HEAD');
      await git(folder, 'remote', 'set-url', 'origin', url);
      return folder;
    },
    ledger: (file) => git(remote, 'show', `knowngood:${file}`),
    stop: () => server.stop(),
  };
}
