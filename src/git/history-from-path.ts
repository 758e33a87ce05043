import { existsSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';
import { type FoundRepository, findRepository } from './found.ts';
import type { Git } from './git.ts';
import { isObjectId, isRefName } from './refs.ts';

/**
 * A bare repository of our own over the objects of a repository on this disk: its branches and tags are copied, its
 * objects are borrowed, and nothing of its configuration, hooks or replacements takes part.
 */
export async function historyFromPath(
  git: Git,
  path: string,
): Promise<{ gitDir: string; defaultBranch: string | undefined }> {
  const found = findRepository(path);
  if (found === undefined) throw new Failure('git-denied', `There is no git repository at ${path}.`);
  assertComplete(found);
  const format = await git.text({ args: ['rev-parse', '--show-object-format'], gitDir: found.gitDir });
  const gitDir = await git.init('history', format === 'sha256' ? 'sha256' : 'sha1');
  await mkdir(join(gitDir, 'objects', 'info'), { recursive: true });
  const objects = join(found.commonDir, 'objects');
  if (objects.includes('\n')) throw new Failure('git-failed', 'A path with a line break cannot be read.');
  await writeFile(join(gitDir, 'objects', 'info', 'alternates'), `${objects}\n`);

  const listed = await git.text({
    args: [
      'for-each-ref',
      '--format=%(objectname) %(refname)',
      'refs/heads',
      'refs/tags',
      'refs/remotes/origin',
    ],
    gitDir: found.gitDir,
  });
  const refs = new Map<string, string>();
  for (const line of listed.split('\n')) {
    const [id = '', ref = ''] = line.split(' ');
    if (isObjectId(id) && isRefName(ref)) refs.set(ref, id);
  }
  const defaultBranch = await defaultBranchOf(git, found, refs);
  // A checkout often has no local branch but the one it is on.
  for (const [ref, id] of [...refs]) {
    const local = ref.replace(/^refs\/remotes\/origin\//, 'refs/heads/');
    if (local !== ref && local !== 'refs/heads/HEAD' && !refs.has(local)) refs.set(local, id);
  }
  const lines = [...refs]
    .filter(([ref]) => !ref.startsWith('refs/remotes/'))
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([ref, id]) => `${id} ${ref}\n`);
  // Ten thousand loose refs would take longer than everything else.
  await writeFile(join(gitDir, 'packed-refs'), `# pack-refs with: sorted \n${lines.join('')}`);
  return { gitDir, defaultBranch };
}

function assertComplete({ commonDir }: FoundRepository): void {
  const shallow = join(commonDir, 'shallow');
  if (!existsSync(shallow) || statSync(shallow).size === 0) return;
  throw new Failure('tags-unavailable', 'The repository that tags are read from is a shallow clone.', {
    remedy:
      'Name the complete repository in `repository`, or fetch with full history (`git fetch --unshallow`).',
  });
}

async function defaultBranchOf(
  git: Git,
  { gitDir, root }: FoundRepository,
  refs: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const target = async (ref: string, prefix: string): Promise<string | undefined> => {
    const answer = await git.run({ args: ['symbolic-ref', '--quiet', ref], gitDir, accept: [0, 1, 128] });
    const full = answer.stdout.toString('utf8').trim();
    return full.startsWith(prefix) ? full.slice(prefix.length) : undefined;
  };
  if (root === undefined) return target('HEAD', 'refs/heads/');
  const origin = await target('refs/remotes/origin/HEAD', 'refs/remotes/origin/');
  if (origin !== undefined) return origin;
  // A checkout's HEAD is where somebody works, which may be any branch; the usual names come first.
  const usual = ['main', 'master'].filter((name) => refs.has(`refs/heads/${name}`));
  return usual.length === 1 ? usual[0] : target('HEAD', 'refs/heads/');
}
