import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';
import { gitFailure } from './failures.ts';
import type { Git } from './git.ts';
import { blobsOf, fileAt, filesBelow, namesIn, type ObjectSource, type TreeEntry } from './objects.ts';
import { isSafePath } from './paths.ts';
import { branchRef, objectId } from './refs.ts';
import { farSide, type Remote } from './remote.ts';

/** A full commit id, 40 (or 64) lower-case hex digits. */
export type CommitId = string;

/** What a commit changes: path (relative, `/` between parts) → new content, or `null` to remove the file. */
export type Changes = Readonly<Record<string, Uint8Array | string | null>>;

export interface CommitRequest {
  readonly changes: Changes;
  /** The commit to build on; `undefined` makes a root commit, whose tree holds the changes only. */
  readonly parent: CommitId | undefined;
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  /** Author and committer date; given in, because rooms below the entry have no clock. */
  readonly at: Date;
}

/**
 * How a push ended where the remote answered: `rejected` only when the branch had moved (or came into being, or
 * is being written at this moment), so that reading it again and trying again is right. All else is a Failure:
 * `git-denied` (no permission, protected branch), `git-unreachable` (not answered: the push may or may not have
 * landed; ask `contains`), `git-failed`.
 */
export type PushOutcome = 'landed' | 'rejected';

/**
 * One branch of a remote, read and written without a checkout: a bare repository of our own that knows the tip
 * of the branch only (depth 1). Every push is a plain fast-forward of one commit, never forced: that makes it a
 * compare-and-swap on the branch.
 *
 * Every method but `close` may fail with `git-denied`, `git-unreachable` or `git-failed`.
 */
export interface BareRepository {
  /** Fetches the branch as the remote has it now. `undefined`: the remote answered, and has no such branch. */
  fetchTip(branch: string): Promise<CommitId | undefined>;
  /** The content of a file of a fetched commit; `undefined` where the path is absent or is no regular file. */
  readFile(commit: CommitId, path: string, limitBytes?: number): Promise<Uint8Array | undefined>;
  /** The names in a folder of a fetched commit (folders end with `/`); empty where the folder is absent. `''` is the root. */
  list(commit: CommitId, folder: string): Promise<readonly string[]>;
  /** All files below a folder of a fetched commit (`''`: the root), links among them, with paths from the root. */
  files(commit: CommitId, folder: string): Promise<readonly TreeEntry[]>;
  /** The contents of these blobs by id, in one go. `limitBytes` is for all of them together. */
  blobs(ids: readonly string[], limitBytes: number): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Writes a commit into our own repository; nothing is sent. The same request gives the same commit id. */
  writeCommit(request: CommitRequest): Promise<CommitId>;
  /** Sends the commit as the new tip of the branch; creates the branch where there is none. */
  push(commit: CommitId, branch: string): Promise<PushOutcome>;
  /** Whether the branch, as the remote has it now, contains the commit: the question after a push that was cut. */
  contains(branch: string, commit: CommitId): Promise<boolean>;
  /** Removes the folder of the repository. */
  close(): Promise<void>;
}

/** Content limit of `readFile` where none is given: records are small, a trail may grow. */
const READ_LIMIT = 16 * 1024 * 1024;
/** How much of a branch is fetched to find a commit below its tip: the last number means all of it. */
const DEPTHS = [1, 64, 2_147_483_647] as const;

/** Makes the empty bare repository for this remote in the runner's scratch folder; asks the remote nothing yet. */
export async function openBareRepository(git: Git, remote: Remote): Promise<BareRepository> {
  const gitDir = await git.init('ledger');
  const source: ObjectSource = { git, call: { gitDir } };
  const inTurn = turns();
  let commits = 0;

  /** Fetches the branch into a ref of our own; the commit, or `undefined` where the remote has no such branch. */
  const fetch = async (branch: string, depth: number): Promise<CommitId | undefined> => {
    const ref = branchRef(branch);
    const own = `refs/knowngood/tips/${branch}`;
    const options = [
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      `--depth=${depth}`,
      ...farSide(remote, 'upload-pack'),
    ];
    try {
      await git.run({
        args: ['fetch', ...options, '--end-of-options', remote.url, `+${ref}:${own}`],
        gitDir,
        remote,
      });
    } catch (error) {
      if (!(error instanceof Failure) || !/couldn't find remote ref/i.test(error.message)) throw error;
      // Asked once more in another way, so that no wording of an error makes a branch absent.
      const listed = await git.text({
        args: ['ls-remote', ...farSide(remote, 'upload-pack'), '--end-of-options', remote.url, ref],
        gitDir,
        remote,
      });
      if (listed.split('\n').some((line) => line.endsWith(`\t${ref}`))) throw error;
      return undefined;
    }
    return git.text({ args: ['rev-parse', '--verify', '--end-of-options', `${own}^{commit}`], gitDir });
  };

  const write = async ({ changes, parent, message, author, at }: CommitRequest): Promise<CommitId> => {
    commits += 1;
    const index = join(gitDir, `index-${commits}`);
    const environment = { GIT_INDEX_FILE: index };
    if (parent === undefined) await git.run({ args: ['read-tree', '--empty'], gitDir, environment });
    else await git.run({ args: ['read-tree', objectId(parent)], gitDir, environment });
    const records: string[] = [];
    for (const [path, content] of Object.entries(changes)) {
      if (!isSafePath(path))
        throw new Failure('path-outside', `Not a path in a repository: ${JSON.stringify(path)}.`);
      if (content === null) {
        records.push(`0 ${'0'.repeat(40)}\t${path}\0`);
        continue;
      }
      const id = await git.text({
        args: ['hash-object', '-w', '--no-filters', '--stdin'],
        gitDir,
        input: content,
      });
      records.push(`100644 ${id}\t${path}\0`);
    }
    await git.run({
      args: ['update-index', '-z', '--index-info'],
      gitDir,
      environment,
      input: records.join(''),
    });
    const tree = await git.text({ args: ['write-tree'], gitDir, environment });
    await rm(index, { force: true });
    const date = `@${Math.floor(at.getTime() / 1000)} +0000`;
    return git.text({
      args: ['commit-tree', ...(parent === undefined ? [] : ['-p', objectId(parent)]), '-F', '-', tree],
      gitDir,
      input: message.endsWith('\n') ? message : `${message}\n`,
      environment: {
        GIT_AUTHOR_NAME: author.name,
        GIT_AUTHOR_EMAIL: author.email,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_NAME: author.name,
        GIT_COMMITTER_EMAIL: author.email,
        GIT_COMMITTER_DATE: date,
      },
    });
  };

  const contains = async (branch: string, commit: CommitId, depths: readonly number[]): Promise<boolean> => {
    for (const depth of depths) {
      const tip = await fetch(branch, depth);
      if (tip === undefined) return false;
      const known = await git.run({
        args: ['cat-file', '-e', objectId(commit)],
        gitDir,
        accept: [0, 1, 128],
      });
      if (known.code !== 0) continue;
      const { code } = await git.run({
        args: ['merge-base', '--is-ancestor', commit, tip],
        gitDir,
        accept: [0, 1],
      });
      if (code === 0) return true;
    }
    return false;
  };

  const push = async (commit: CommitId, branch: string): Promise<PushOutcome> => {
    const answer = await git.run({
      args: [
        'push',
        '--porcelain',
        '--no-follow-tags',
        '--no-signed',
        ...farSide(remote, 'receive-pack'),
        '--end-of-options',
        remote.url,
        `${objectId(commit)}:${branchRef(branch)}`,
      ],
      gitDir,
      remote,
      accept: [0, 1],
    });
    const verdict = readPush(answer.stdout.toString('utf8'), branchRef(branch));
    if (answer.code === 0 && verdict === 'landed') return 'landed';
    if (verdict === 'moved') return 'rejected';
    // A connection that broke after sending makes the transport send again; what refuses then is our own push.
    if (verdict === 'taken')
      return (await contains(branch, commit, DEPTHS.slice(0, 2))) ? 'landed' : 'rejected';
    const said = `${typeof verdict === 'object' ? verdict.refused : ''}\n${answer.stderr}`;
    throw gitFailure({ command: 'push', code: answer.code, stderr: said, remote: remote.url });
  };

  return {
    fetchTip: (branch) => inTurn(() => fetch(branch, 1)),
    readFile: (commit, path, limit = READ_LIMIT) => inTurn(() => fileAt(source, commit, path, limit)),
    list: (commit, folder) => inTurn(() => namesIn(source, commit, folder)),
    files: (commit, folder) => inTurn(() => filesBelow(source, commit, folder)),
    blobs: (ids, limit) => inTurn(() => blobsOf(source, ids, limit)),
    writeCommit: (request) => inTurn(() => write(request)),
    push: (commit, branch) => inTurn(() => push(commit, branch)),
    contains: (branch, commit) => inTurn(() => contains(branch, commit, DEPTHS)),
    close: () => inTurn(() => rm(gitDir, { recursive: true, force: true })),
  };
}

/** Runs what it is given one after another: git locks a repository's shallow file, and fails where it is locked. */
function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

/**
 * Reads `push --porcelain`. `moved`: git compared the branch and found it elsewhere; nothing was sent. `taken`: the
 * server could not lock the ref, or did not find it as expected: somebody was faster in that very moment.
 */
export function readPush(
  output: string,
  ref: string,
): 'landed' | 'moved' | 'taken' | { refused: string } | undefined {
  for (const line of output.split('\n')) {
    const [flag, refs, summary = ''] = line.split('\t');
    if (refs === undefined || !refs.endsWith(`:${ref}`)) continue;
    if (flag === ' ' || flag === '*' || flag === '=') return 'landed';
    if (
      /^\[rejected\] \((?:fetch first|non-fast-forward|needs force|stale info|already exists)\)/.test(summary)
    )
      return 'moved';
    if (
      /^\[remote rejected\] \((?:failed to (?:update|lock) ref|cannot lock ref|incorrect old value|reference already exists|non-fast-forward|fetch first)/i.test(
        summary,
      )
    ) {
      return 'taken';
    }
    return { refused: summary };
  }
  return undefined;
}
