import { Failure } from '../outcome.ts';
import type { Git, GitCall } from './git.ts';
import { isSafePath } from './paths.ts';
import { objectId } from './refs.ts';

/** One entry of a tree. `size` is there for blobs where it was asked for. */
export interface TreeEntry {
  readonly mode: string;
  readonly type: 'blob' | 'tree' | 'commit';
  readonly id: string;
  readonly size?: number;
  readonly path: string;
}

/** Where objects are read: a repository of our own, and what its calls need besides. */
export interface ObjectSource {
  readonly git: Git;
  readonly call: Omit<GitCall, 'args'>;
}

/** Reads `ls-tree -z` output, with or without the size column of `-l`. */
export function parseTree(output: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const record of output.toString('utf8').split('\0')) {
    if (record === '') continue;
    const tab = record.indexOf('\t');
    const [mode, type, id, size] = record.slice(0, tab).split(/ +/);
    const entry = { mode: mode!, type: type as TreeEntry['type'], id: id!, path: record.slice(tab + 1) };
    entries.push(size === undefined || size === '-' ? entry : { ...entry, size: Number(size) });
  }
  return entries;
}

/** The entry of one path in a commit or tree; `undefined` where there is none. */
export async function entryAt(
  source: ObjectSource,
  treeish: string,
  path: string,
): Promise<TreeEntry | undefined> {
  if (!isSafePath(path))
    throw new Failure('path-outside', `Not a path in a repository: ${JSON.stringify(path)}.`);
  const { stdout } = await source.git.run({
    ...source.call,
    args: ['--literal-pathspecs', 'ls-tree', '-z', '--full-tree', objectId(treeish), '--', path],
  });
  return parseTree(stdout).find((entry) => entry.path === path);
}

/**
 * The content of a regular file in a commit or tree. `undefined` where the path is absent. A link, a folder or a
 * file of more than `limitBytes` is a Failure `path-outside`: it is there, and it is not what may be read. So is a path
 * through a link or a file: a configuration behind one is not the same as none.
 */
export async function fileAt(
  source: ObjectSource,
  treeish: string,
  path: string,
  limitBytes: number,
): Promise<Uint8Array | undefined> {
  const entry = await entryAt(source, treeish, path);
  if (entry === undefined) {
    await assertFolders(source, treeish, path);
    return undefined;
  }
  if (entry.type !== 'blob' || entry.mode === '120000') {
    throw new Failure('path-outside', `${JSON.stringify(path)} is not a regular file.`);
  }
  const { stdout, overflow } = await blob(source, entry.id, limitBytes);
  if (overflow)
    throw new Failure('path-outside', `${JSON.stringify(path)} is larger than ${limitBytes} bytes.`);
  return stdout;
}

async function assertFolders(source: ObjectSource, treeish: string, path: string): Promise<void> {
  const parts = path.split('/');
  for (let length = 1; length < parts.length; length++) {
    const entry = await entryAt(source, treeish, parts.slice(0, length).join('/'));
    if (entry === undefined) return;
    if (entry.type !== 'tree')
      throw new Failure(
        'path-outside',
        `${JSON.stringify(path)} passes through something that is no folder.`,
      );
  }
}

async function blob(
  source: ObjectSource,
  id: string,
  limit: number,
): Promise<{ stdout: Uint8Array; overflow: boolean }> {
  // The size first: the content of a huge file must not be read to learn that it is huge.
  const size = Number(await source.git.text({ ...source.call, args: ['cat-file', '-s', objectId(id)] }));
  if (size > limit) return { stdout: new Uint8Array(), overflow: true };
  const { stdout } = await source.git.run({
    ...source.call,
    args: ['cat-file', 'blob', objectId(id)],
    limitBytes: Math.max(1, limit),
  });
  return { stdout, overflow: false };
}

/** The names in a folder of a commit, sorted as git sorts them; folders end with `/`. `''` is the root. */
export async function namesIn(source: ObjectSource, commit: string, folder: string): Promise<string[]> {
  if (folder !== '' && !isSafePath(folder)) {
    throw new Failure('path-outside', `Not a path in a repository: ${JSON.stringify(folder)}.`);
  }
  const prefix = folder === '' ? '' : `${folder}/`;
  const { stdout } = await source.git.run({
    ...source.call,
    args: [
      '--literal-pathspecs',
      'ls-tree',
      '-z',
      '--full-tree',
      objectId(commit),
      ...(prefix === '' ? [] : ['--', prefix]),
    ],
  });
  return parseTree(stdout).map(({ type, path }) => path.slice(prefix.length) + (type === 'tree' ? '/' : ''));
}

/**
 * Every file below a folder of a commit, with its size; `''` is the root. Where the folder is itself a file or a
 * link, that one entry.
 */
export async function filesBelow(
  source: ObjectSource,
  commit: string,
  folder: string,
): Promise<readonly TreeEntry[]> {
  if (folder !== '' && !isSafePath(folder)) {
    throw new Failure('path-outside', `Not a path in a repository: ${JSON.stringify(folder)}.`);
  }
  const { stdout } = await source.git.run({
    ...source.call,
    args: [
      '--literal-pathspecs',
      'ls-tree',
      '-r',
      '-l',
      '-z',
      '--full-tree',
      objectId(commit),
      ...(folder === '' ? [] : ['--', folder]),
    ],
  });
  return parseTree(stdout);
}

/** The contents of these blobs, through one process however many they are. */
export async function blobsOf(
  source: ObjectSource,
  ids: readonly string[],
  limitBytes: number,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  if (ids.length === 0) return contents;
  const { stdout } = await source.git.run({
    ...source.call,
    args: ['cat-file', '--batch'],
    input: `${ids.map(objectId).join('\n')}\n`,
    // Each content has a line before it (id, type, size) and a newline behind it.
    limitBytes: limitBytes + ids.length * 128,
  });
  let at = 0;
  for (const id of ids) {
    const end = stdout.indexOf(0x0a, at);
    const size = new RegExp(`^${id} blob (\\d+)$`).exec(stdout.toString('latin1', at, end))?.[1];
    if (size === undefined) throw new Failure('git-failed', `git does not have the object ${id}.`);
    contents.set(id, stdout.subarray(end + 1, end + 1 + Number(size)));
    at = end + 1 + Number(size) + 1;
  }
  return contents;
}
