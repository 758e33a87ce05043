import { Failure } from '../outcome.ts';
import { type CommitFacts, readCommit } from './commit-object.ts';
import type { Git, GitCall } from './git.ts';
import { historyFromPath } from './history-from-path.ts';
import { fileAt, type ObjectSource } from './objects.ts';
import { branchRef, isObjectId, objectId } from './refs.ts';
import { farSide, type Remote } from './remote.ts';
import { namesOf, parseTags, TAG_FORMAT, type TagRef } from './tags.ts';

/** A branch as the remote had it when the history was read. */
export interface Branch {
  readonly name: string;
  readonly tip: string;
}

/**
 * The history of a repository: commits, branches and tags, in a bare repository of our own. Trees and files are
 * fetched one by one when they are asked for. Nothing of any checkout takes part, so that a shallow or tagless one
 * changes no answer.
 */
export interface History {
  readonly remote: Remote;
  /** The branch that was asked for, else the default branch of the remote. */
  readonly branch: Branch;
  /** Another branch of the remote. Fails with `branch-missing` where it has none of that name. */
  branchNamed(name: string): Promise<Branch>;
  /** The commit, fetched where it is not there yet; `undefined` where the remote has no such commit for us. */
  commit(id: string, where?: { readonly pullRequest?: number | undefined }): Promise<CommitFacts | undefined>;
  /**
   * Takes commits that only a checkout has (not pushed yet, or a merge that a host made) into account: its objects
   * are read where the remote's do not reach. The checkout is not changed.
   */
  alsoFrom(objectFolders: readonly string[]): Promise<void>;
  /** All tags: peeled, with tree, whether the branch's tip reaches them, and whether any of `candidates` does. */
  tags(branch: Branch, candidates: readonly string[]): Promise<readonly TagRef[]>;
  isAncestor(older: string, newer: string): Promise<boolean>;
  /**
   * What `git describe --long` says of a commit: the nearest tag before it that matches the glob, and how many
   * commits lie between; `undefined` where there is none.
   */
  describe(commit: string, glob: string): Promise<{ tag: string; distance: number } | undefined>;
  /**
   * The content of a regular file in a commit; `undefined` where the path is absent, a Failure `path-outside` where
   * it is a link, a folder or larger than the limit.
   */
  readFile(commit: string, path: string, limitBytes: number): Promise<Uint8Array | undefined>;
}

/**
 * Reads the history of a remote. Fails with `git-denied`, `git-unreachable`, `git-failed`, and with
 * `tags-unavailable` where the remote is itself shallow: what is missing there is not absent.
 */
export async function openHistory(git: Git, remote: Remote, branch?: string): Promise<History> {
  if (branch !== undefined) branchRef(branch);
  const opened = remote.kind === 'path' ? await historyFromPath(git, remote.url) : await clone(git, remote);
  const name = branch ?? opened.defaultBranch;
  if (name === undefined) {
    throw new Failure('branch-missing', 'The repository has no default branch, or none that can be seen.');
  }
  return over(git, remote, opened.gitDir, name);
}

/** What need not be sent; a server that cannot filter sends everything, which is slower and not wrong. */
const FILTERS = [['--filter=tree:0'], ['--filter=blob:none'], []] as const;

/** Commits, branches and tags, no trees and no files; one request after the greeting. */
async function clone(
  git: Git,
  remote: Remote,
): Promise<{ gitDir: string; defaultBranch: string | undefined }> {
  let gitDir = '';
  for (const filter of FILTERS) {
    gitDir = git.place('history');
    const options = ['--quiet', '--bare', '--template=', '--no-recurse-submodules', ...filter];
    try {
      await git.run({ args: ['clone', ...options, '--', remote.url, gitDir], gitDir, remote });
      break;
    } catch (error) {
      // A tag may stand for a tree or a file that some commit has, too: then git leaves it out and misses it.
      const left = error instanceof Failure && error.message.includes('did not send all necessary objects');
      if (!left || filter.length === 0) throw error;
    }
  }
  const shallow = await git.text({ args: ['rev-parse', '--is-shallow-repository'], gitDir });
  if (shallow !== 'false') {
    throw new Failure('tags-unavailable', 'The repository that tags are read from is shallow itself.', {
      remedy: 'Name a complete repository in `repository`.',
    });
  }
  const head = await git.run({ args: ['symbolic-ref', '--quiet', 'HEAD'], gitDir, accept: [0, 1] });
  const ref = head.stdout.toString('utf8').trim();
  return {
    gitDir,
    defaultBranch: ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined,
  };
}

async function over(git: Git, remote: Remote, gitDir: string, branchName: string): Promise<History> {
  let folders: readonly string[] = [];
  const call = (): Omit<GitCall, 'args'> => ({
    gitDir,
    ...(folders.length === 0
      ? {}
      : { environment: { GIT_ALTERNATE_OBJECT_DIRECTORIES: alternates(folders) } }),
  });
  const source = (): ObjectSource => ({ git, call: call() });

  const tipOf = async (name: string): Promise<Branch> => {
    const { code, stdout } = await git.run({
      args: ['rev-parse', '--verify', '--quiet', '--end-of-options', `${branchRef(name)}^{commit}`],
      gitDir,
      accept: [0, 1, 128],
    });
    if (code !== 0)
      throw new Failure('branch-missing', `The repository has no branch ${JSON.stringify(name)}.`);
    return { name, tip: stdout.toString('utf8').trim() };
  };

  /** Fetches one ref or commit, without its trees; `false` where the remote does not have it or does not give it. */
  const bring = async (what: string, own: string): Promise<boolean> => {
    if (remote.kind === 'path') return false;
    try {
      await git.run({
        args: [
          'fetch',
          '--quiet',
          '--no-tags',
          '--no-write-fetch-head',
          '--filter=tree:0',
          ...farSide(remote, 'upload-pack'),
          '--end-of-options',
          'origin',
          `+${what}:${own}`,
        ],
        gitDir,
        remote,
      });
      return true;
    } catch (error) {
      if (
        error instanceof Failure &&
        /couldn't find remote ref|not our ref|unadvertised object/i.test(error.message)
      ) {
        return false;
      }
      throw error;
    }
  };

  const commit: History['commit'] = async (id, where) => {
    const known = await readCommit(source(), objectId(id));
    if (known !== undefined || remote.kind === 'path') return known;
    const own = `refs/knowngood/commits/${id}`;
    if (!(await bring(id, own)) && where?.pullRequest !== undefined) {
      // Some servers give no commit by its id, but the pull request's head under its name.
      await bring(`refs/pull/${where.pullRequest}/head`, `refs/knowngood/pull/${where.pullRequest}`);
    }
    return readCommit(source(), id);
  };

  return {
    remote,
    branch: await tipOf(branchName),
    branchNamed: tipOf,
    commit,
    alsoFrom: async (objectFolders) => {
      folders = objectFolders;
    },
    tags: async (branch, candidates) => {
      const list = async (format: string, merged: readonly string[]): Promise<Buffer> => {
        const filter = merged.flatMap((id) => ['--merged', objectId(id)]);
        return (
          await git.run({ ...call(), args: ['for-each-ref', `--format=${format}`, ...filter, 'refs/tags'] })
        ).stdout;
      };
      const named = async (merged: readonly string[]): Promise<ReadonlySet<string>> =>
        new Set(merged.length === 0 ? [] : namesOf(await list('%(refname)', merged)));
      const all = await peelNested(parseTags(await list(TAG_FORMAT, [])), source());
      const reachable = await named([branch.tip]);
      const before = await named(candidates);
      return all.map((tag) => ({
        ...tag,
        reachable: reachable.has(tag.name),
        ancestor: before.has(tag.name),
      }));
    },
    isAncestor: async (older, newer) => {
      const args = ['merge-base', '--is-ancestor', objectId(older), objectId(newer)];
      return (await git.run({ ...call(), args, accept: [0, 1] })).code === 0;
    },
    describe: async (id, glob) => {
      const args = ['describe', '--long', '--tags', '--abbrev=12', `--match=${glob}`, objectId(id)];
      const { code, stdout } = await git.run({ ...call(), args, accept: [0, 128] });
      const [, tag, count] = /^(.+)-(\d+)-g[0-9a-f]+$/.exec(stdout.toString('utf8').trim()) ?? [];
      return code !== 0 || tag === undefined ? undefined : { tag, distance: Number(count) };
    },
    readFile: (id, path, limitBytes) =>
      fileAt(
        { git, call: remote.kind === 'path' ? call() : { ...call(), remote, lazyFetch: true } },
        id,
        path,
        limitBytes,
      ),
  };
}

/** Tags of tags: rare, and older gits peel only once. */
async function peelNested(tags: readonly TagRef[], source: ObjectSource): Promise<readonly TagRef[]> {
  if (tags.every(({ nested }) => nested === undefined)) return tags;
  const peeled: TagRef[] = [];
  for (const tag of tags) {
    const { nested, ...rest } = tag;
    if (nested === undefined) {
      peeled.push(tag);
      continue;
    }
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${objectId(nested)}^{commit}`];
    const { stdout } = await source.git.run({ ...source.call, args, accept: [0, 1, 128] });
    const id = stdout.toString('utf8').trim();
    const facts = isObjectId(id) ? await readCommit(source, id) : undefined;
    peeled.push(facts === undefined ? rest : { ...rest, commit: facts.id, tree: facts.tree });
  }
  return peeled;
}

/** The value of GIT_ALTERNATE_OBJECT_DIRECTORIES: folders in C quotes, so that no character in them separates. */
export function alternates(folders: readonly string[]): string {
  return folders.map((folder) => `"${folder.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`).join(':');
}
