import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';
import { type CommitFacts, readCommit } from './commit-object.ts';
import { dirtyFiles } from './dirty.ts';
import { type FoundRepository, findCheckout } from './found.ts';
import type { Git } from './git.ts';
import { alternates } from './history.ts';
import type { ObjectSource } from './objects.ts';
import { isObjectId } from './refs.ts';
import { listTree } from './tree-list.ts';

/**
 * A checkout of the job, looked at without believing it: its objects are read by a repository of our own, so that
 * none of its configuration, hooks, filters, attributes files or index flags takes part.
 */
export interface Checkout {
  /** Absolute path of its top folder. */
  readonly root: string;
  /** Where its objects are, for `History.alsoFrom`. */
  readonly objectFolders: readonly string[];
  /** HEAD's commit. */
  readonly head: CommitFacts;
  /** Reads its objects. */
  readonly source: ObjectSource;
  /**
   * Paths, relative to the top folder, that differ from HEAD: changed, missing, and untracked unless a .gitignore
   * ignores them. `besides` are folders of ours, relative to the top folder.
   */
  dirty(besides: readonly string[]): Promise<readonly string[]>;
  /** Files below a path (relative to the top folder) that HEAD has. */
  trackedIn(path: string): Promise<readonly string[]>;
  /** The address of the remote `origin`, as the checkout's own configuration has it; may hold credentials. */
  originUrl(): Promise<string | undefined>;
}

/** The checkout that holds this folder; `undefined` where there is none. Fails with `candidate-unknown` before the first commit. */
export async function openCheckout(git: Git, folder: string): Promise<Checkout | undefined> {
  const found = findCheckout(folder);
  return found?.root === undefined ? undefined : open(git, { ...found, root: found.root });
}

async function open(git: Git, found: FoundRepository & { root: string }): Promise<Checkout> {
  // The only calls in the checkout's own repository: they read a ref and a setting, and load no index and no object.
  const own = { gitDir: found.gitDir };
  const answer = await git.run({
    args: ['rev-parse', '--verify', '--quiet', 'HEAD'],
    ...own,
    accept: [0, 1, 128],
  });
  const id = answer.stdout.toString('utf8').trim();
  if (!isObjectId(id)) throw new Failure('candidate-unknown', 'The checkout has no commit.');

  const gitDir = await git.init('checkout', id.length === 64 ? 'sha256' : 'sha1');
  const objectFolders = [join(found.commonDir, 'objects')];
  const source: ObjectSource = {
    git,
    call: { gitDir, environment: { GIT_ALTERNATE_OBJECT_DIRECTORIES: alternates(objectFolders) } },
  };
  const head = await readCommit(source, id);
  if (head === undefined)
    throw new Failure('candidate-unknown', `The checkout lacks the commit ${id} of its HEAD.`);

  return {
    root: found.root,
    objectFolders,
    head,
    source,
    dirty: (besides) =>
      dirtyFiles({ root: found.root, tree: head.tree, source, besides, submodule: submodule(git) }),
    trackedIn: async (path) => {
      const inside = path === '' || path === '.' ? '' : `${path.replace(/\/+$/, '')}/`;
      const files = await listTree(source, head.tree);
      return files
        .filter(({ text }) => text.startsWith(inside) || `${text}/` === inside)
        .map(({ text }) => text);
    },
    originUrl: async () => {
      const args = ['config', '--local', '--no-includes', '--get', 'remote.origin.url'];
      const { code, stdout } = await git.run({ args, ...own, accept: [0, 1, 128] });
      const url = stdout.toString('utf8').trim();
      return code === 0 && url !== '' ? url : undefined;
    },
  };
}

/** Looks at a submodule as at a checkout of its own: it must be at this commit, and have nothing dirty. */
function submodule(git: Git): (folder: string, commit: string) => Promise<readonly string[] | undefined> {
  return async (folder, commit) => {
    const inside = await lstat(join(folder, '.git')).catch(() => undefined);
    if (inside === undefined) return undefined;
    const checkout = await openCheckout(git, folder);
    if (checkout?.root !== folder || checkout.head.id !== commit) return [''];
    return checkout.dirty([]);
  };
}
