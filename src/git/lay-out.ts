import { closeSync, constants, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';
import { readBlobs, totalSize } from './blobs.ts';
import type { Git } from './git.ts';
import type { History } from './history.ts';
import type { ObjectSource } from './objects.ts';
import { isSafePath } from './paths.ts';
import { objectId } from './refs.ts';
import { farSide, type Remote } from './remote.ts';
import { listTree } from './tree-list.ts';

/** A tree laid out as plain files. */
export interface LaidOut {
  readonly folder: string;
  /** Folders that are submodules in the tree: left empty, because their addresses are the candidate's word. */
  readonly submodules: readonly string[];
}

/** More than any build needs; a hostile tree of tiny size can name far more. */
const MOST_FILES = 200_000;
const MOST_BYTES = 4 * 1024 ** 3;

/**
 * Fetches one commit with all its files into a repository of our own: by its id, else as the head of the pull
 * request. Fails with `candidate-unknown` where the remote has no such commit for us.
 */
export async function fetchWhole(
  git: Git,
  history: Pick<History, 'remote'>,
  commit: string,
  pullRequest?: number,
): Promise<ObjectSource> {
  const { remote } = history;
  const gitDir = await git.init('candidate', commit.length === 64 ? 'sha256' : 'sha1');
  const source: ObjectSource = { git, call: { gitDir } };
  const refs = [objectId(commit), ...(pullRequest === undefined ? [] : [`refs/pull/${pullRequest}/head`])];
  for (const ref of refs) {
    if (!(await fetchOne(git, remote, gitDir, ref))) continue;
    const { code } = await git.run({
      ...source.call,
      args: ['cat-file', '-e', `${commit}^{tree}`],
      accept: [0, 1, 128],
    });
    if (code === 0) return source;
  }
  throw new Failure('candidate-unknown', `The repository has no commit ${commit}, or does not give it.`, {
    remedy: 'Push the commit; for a pull request, use its current head and set `pull-request`.',
  });
}

async function fetchOne(git: Git, remote: Remote, gitDir: string, ref: string): Promise<boolean> {
  const options = [
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
    '--depth=1',
    ...farSide(remote, 'upload-pack'),
  ];
  try {
    const args = ['fetch', ...options, '--end-of-options', remote.url, `+${ref}:refs/knowngood/candidate`];
    await git.run({ args, gitDir, remote });
    return true;
  } catch (error) {
    const absent = /couldn't find remote ref|not our ref|unadvertised object|no such remote ref/i;
    if (error instanceof Failure && absent.test(error.message)) return false;
    throw error;
  }
}

/**
 * Writes the files of a tree into a folder that does not exist yet, as data: no `.git`, no filters, no attributes,
 * links as links. Every path is checked first, files are made new and never through a link, and links are made when
 * all files are written. Fails with `path-outside` on a path that could leave the folder or be taken for `.git`.
 */
export async function layOut(source: ObjectSource, tree: string, folder: string): Promise<LaidOut> {
  const files = await listTree(source, tree);
  if (files.length > MOST_FILES) {
    throw new Failure('path-outside', `The candidate has ${files.length} files, more than ${MOST_FILES}.`);
  }
  const names = new Set<string>();
  for (const { text, path } of files) {
    if (!isSafePath(text) || Buffer.compare(Buffer.from(text), path) !== 0) {
      throw new Failure(
        'path-outside',
        `The candidate has a path that is not safe: ${JSON.stringify(text)}.`,
      );
    }
    if (names.has(text))
      throw new Failure('path-outside', `The candidate has ${JSON.stringify(text)} twice.`);
    names.add(text);
  }
  for (const { text } of files) {
    for (const parent of parents(text)) {
      if (!names.has(parent)) continue;
      throw new Failure('path-outside', `The candidate has ${JSON.stringify(parent)} as file and as folder.`);
    }
  }

  const contents = files.filter(({ mode }) => mode !== '160000');
  const ids = contents.map(({ id }) => id);
  const total = await totalSize(source, ids);
  if (total > MOST_BYTES) {
    throw new Failure('path-outside', `The candidate has ${total} bytes, more than ${MOST_BYTES}.`);
  }

  mkdirSync(folder);
  const made = new Set<string>();
  for (const { text, mode } of files) {
    for (const parent of [...parents(text), ...(mode === '160000' ? [text] : [])]) {
      if (made.has(parent)) continue;
      mkdirSync(join(folder, parent));
      made.add(parent);
    }
  }
  const links: [path: string, target: Buffer][] = [];
  await readBlobs(source, ids, (index) => {
    const file = contents[index]!;
    if (file.mode === '120000') {
      const chunks: Buffer[] = [];
      return {
        write: (chunk) => void chunks.push(chunk),
        end: () => void links.push([file.text, Buffer.concat(chunks)]),
      };
    }
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const handle = openSync(join(folder, file.text), flags, file.mode === '100755' ? 0o755 : 0o644);
    return { write: (chunk) => writeWhole(handle, chunk), end: () => closeSync(handle) };
  });
  for (const [path, target] of links) {
    if (target.length === 0 || target.length > 4095 || target.includes(0)) {
      throw new Failure('path-outside', `The candidate has a link to nowhere: ${JSON.stringify(path)}.`);
    }
    symlinkSync(target, join(folder, path));
  }
  return { folder, submodules: files.filter(({ mode }) => mode === '160000').map(({ text }) => text) };
}

function parents(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function writeWhole(handle: number, chunk: Buffer): void {
  for (let at = 0; at < chunk.length; ) at += writeSync(handle, chunk, at);
}
