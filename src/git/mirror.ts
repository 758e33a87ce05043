import { Failure } from '../outcome.ts';
import { gitFailure } from './failures.ts';
import type { Git } from './git.ts';
import { isObjectId } from './refs.ts';
import { farSide, type Remote } from './remote.ts';

/** What a mirror was made equal to its upstream in. Empty lists: it was equal before. */
export interface Mirrored {
  /** The branch that is mirrored: the upstream's default branch. */
  readonly branch: string;
  readonly branchMoved: boolean;
  /** Tags that are new here. */
  readonly added: readonly string[];
  /** Tags that stood for something else here: upstream moved them. The gate knows what was promoted. */
  readonly moved: readonly string[];
  /** Tags that upstream has no more. */
  readonly removed: readonly string[];
}

/** One ref that is to change on the mirror, with what it must still be; an empty text is "not there". */
interface Change {
  readonly ref: string;
  readonly from: string;
  readonly to: string;
}

/** Refs of one push: its command line has a length. */
const REFS_A_PUSH = 500;

/**
 * Makes the default branch and all tags of `own` equal to those of `upstream`, and touches nothing else: no other
 * branch, no pull request's ref, no branch of a ledger. Each ref is written only if it still is what was seen.
 * Fails with `git-denied`, `git-unreachable`, `git-failed`, `branch-missing`.
 */
export async function mirror(git: Git, upstream: Remote, own: Remote): Promise<Mirrored> {
  const theirs = await refsOf(git, upstream);
  const branch = theirs.branch;
  const tip = branch === undefined ? undefined : theirs.refs.get(`refs/heads/${branch}`);
  if (branch === undefined || tip === undefined) {
    throw new Failure('branch-missing', 'The upstream of the mirror has no default branch.');
  }
  const ours = (await refsOf(git, own)).refs;
  const wanted = new Map([...theirs.refs].filter(([ref]) => ref.startsWith('refs/tags/')));
  wanted.set(`refs/heads/${branch}`, tip);
  const present = new Map([...ours].filter(([ref]) => ref.startsWith('refs/tags/') || wanted.has(ref)));
  const changes: Change[] = [
    ...[...wanted].map(([ref, to]) => ({ ref, from: present.get(ref) ?? '', to })),
    ...[...present].filter(([ref]) => !wanted.has(ref)).map(([ref, from]) => ({ ref, from, to: '' })),
  ].filter(({ from, to }) => from !== to);
  if (changes.length > 0) {
    const gitDir = await fetchAll(git, upstream, branch, tip.length);
    for (let at = 0; at < changes.length; at += REFS_A_PUSH) {
      await push(git, own, gitDir, changes.slice(at, at + REFS_A_PUSH));
    }
  }
  const tags = changes.filter(({ ref }) => ref.startsWith('refs/tags/'));
  const named = (which: (change: Change) => boolean): string[] =>
    tags.filter(which).map(({ ref }) => ref.slice('refs/tags/'.length));
  return {
    branch,
    branchMoved: changes.length > tags.length,
    added: named(({ from }) => from === ''),
    moved: named(({ from, to }) => from !== '' && to !== ''),
    removed: named(({ to }) => to === ''),
  };
}

/** Branches and tags of a remote by full name, tags not peeled, and its default branch. */
async function refsOf(
  git: Git,
  remote: Remote,
): Promise<{ branch: string | undefined; refs: ReadonlyMap<string, string> }> {
  const output = await git.text({
    args: [
      'ls-remote',
      '--quiet',
      '--symref',
      ...farSide(remote, 'upload-pack'),
      '--end-of-options',
      remote.url,
    ],
    gitDir: git.place('none'),
    remote,
  });
  const refs = new Map<string, string>();
  let branch: string | undefined;
  for (const line of output.split('\n').filter(Boolean)) {
    const [value = '', ref = ''] = line.split('\t');
    if (value.startsWith('ref: ')) {
      if (ref === 'HEAD') branch = value.slice('ref: refs/heads/'.length);
    } else if (isObjectId(value) && /^refs\/(?:heads|tags)\//.test(ref) && !ref.endsWith('^{}')) {
      refs.set(ref, value);
    }
  }
  return { branch, refs };
}

async function fetchAll(git: Git, upstream: Remote, branch: string, hexLength: number): Promise<string> {
  const gitDir = await git.init('mirror', hexLength === 64 ? 'sha256' : 'sha1');
  const options = ['--quiet', '--no-tags', '--no-write-fetch-head', ...farSide(upstream, 'upload-pack')];
  const refs = [`+refs/heads/${branch}:refs/heads/${branch}`, '+refs/tags/*:refs/tags/*'];
  await git.run({
    args: ['fetch', ...options, '--end-of-options', upstream.url, ...refs],
    gitDir,
    remote: upstream,
  });
  return gitDir;
}

/**
 * `--force-with-lease` with the value that was seen: whatever somebody else wrote since then is not overwritten, and
 * `--atomic` would refuse all refs for one that a server protects.
 */
async function push(git: Git, own: Remote, gitDir: string, changes: readonly Change[]): Promise<void> {
  const leases = changes.map(({ ref, from }) => `--force-with-lease=${ref}:${from}`);
  const { code, stderr, stdout } = await git.run({
    args: [
      'push',
      '--porcelain',
      '--no-follow-tags',
      '--no-signed',
      '--no-verify',
      ...leases,
      ...farSide(own, 'receive-pack'),
      '--end-of-options',
      own.url,
      ...changes.map(({ ref, to }) => (to === '' ? `:${ref}` : `${to}:${ref}`)),
    ],
    gitDir,
    remote: own,
    accept: [0, 1],
  });
  if (code === 0) return;
  const refused = stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .slice(0, 5);
  throw gitFailure({ command: 'push', code, stderr: `${refused.join('\n')}\n${stderr}`, remote: own.url });
}
