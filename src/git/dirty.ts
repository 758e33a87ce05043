import { createHash } from 'node:crypto';
import { closeSync, constants, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { converted } from './converted.ts';
import type { ObjectSource } from './objects.ts';
import { listTree, type TreeFile } from './tree-list.ts';

export interface DirtyInput {
  /** Absolute path of the checkout's top folder. */
  readonly root: string;
  readonly tree: string;
  readonly source: ObjectSource;
  /** Our own folders, relative to the top folder; never dirty. */
  readonly besides: readonly string[];
  /**
   * What is dirty in a submodule that should be at this commit: paths inside it, `''` for the submodule itself;
   * `undefined` where the folder is no checkout.
   */
  readonly submodule: (folder: string, commit: string) => Promise<readonly string[] | undefined>;
}

/** How many files are read at a time. */
const AT_ONCE = 16;

/**
 * What differs between a tree and a folder. git's own status would obey the checkout: run its fsmonitor and filters,
 * believe index entries marked `assume-unchanged`, and go into nested repositories. Here every file is read and
 * hashed. Files that git converted on checkout (line endings, LFS) count as clean where the conversion can be
 * undone without running anything; what another filter made cannot be told from a change, and is dirty.
 */
export async function dirtyFiles(input: DirtyInput): Promise<readonly string[]> {
  const { root, source } = input;
  const files = await listTree(source, input.tree);
  const folders = new RealFolders(root);
  const dirty: string[] = [];
  const suspects: TreeFile[] = [];

  let work = 0;
  await inParallel(files, async (file) => {
    // Small files are read synchronously: now and then signals and progress get their turn.
    if (++work % 256 === 0) await setImmediate();
    const ours = input.besides.some((folder) => file.text === folder || file.text.startsWith(`${folder}/`));
    if (ours) return;
    if (!(await folders.holds(file.path))) dirty.push(file.text);
    else if (file.mode === '160000') dirty.push(...(await inSubmodule(input, file)));
    else {
      const found = await look(absolute(root, file.path), file);
      if (found === 'other') dirty.push(file.text);
      else if (found === 'content') suspects.push(file);
    }
  });
  if (suspects.length > 0) dirty.push(...(await converted({ root, tree: input.tree, source }, suspects)));
  dirty.push(...(await untracked(input)));
  return [...new Set(dirty)].sort();
}

/** Compares one path with what the tree says: the same, other content, or another kind of thing. */
async function look(path: Buffer, file: TreeFile): Promise<'same' | 'content' | 'other'> {
  const kind = kindOf(path);
  if (kind === undefined) return 'other';
  if (file.mode === '120000') {
    if (!kind.isSymbolicLink()) return 'other';
    const target = await readlink(path, { encoding: 'buffer' });
    return blobHash(target.length, file.id).update(target).digest('hex') === file.id ? 'same' : 'other';
  }
  if (!kind.isFile() || ((kind.mode & 0o100) !== 0) !== (file.mode === '100755')) return 'other';
  return (await hashFile(path, kind.size, file.id)) === file.id ? 'same' : 'content';
}

function kindOf(path: Buffer): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** Files up to this many bytes are read whole and at once: a stream for each of thousands is four times slower. */
const WHOLE_LIMIT = 1024 * 1024;
const whole = Buffer.allocUnsafe(WHOLE_LIMIT);

function hashSmall(path: Buffer, size: number, id: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length < size; length += read) {
      read = readSync(file, whole, length, size - length, null);
    }
    return blobHash(size, id).update(whole.subarray(0, length)).digest('hex');
  } finally {
    closeSync(file);
  }
}

async function hashFile(path: Buffer, size: number, id: string): Promise<string> {
  if (size <= WHOLE_LIMIT) return hashSmall(path, size, id);
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const hash = blobHash(size, id);
    for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

function blobHash(size: number, id: string): ReturnType<typeof createHash> {
  return createHash(id.length === 64 ? 'sha256' : 'sha1').update(`blob ${size}\0`);
}

async function inSubmodule({ root, submodule }: DirtyInput, file: TreeFile): Promise<readonly string[]> {
  const folder = join(root, file.text);
  const inside = await readdir(folder).catch(() => undefined);
  // Not checked out: that is how a checkout without submodules looks.
  if (inside === undefined || inside.length === 0) return [];
  const paths = await submodule(folder, file.id);
  if (paths === undefined) return [file.text];
  return paths.map((path) => (path === '' ? file.text : `${file.text}/${path}`));
}

/** Files that the tree does not have and no .gitignore names; a nested repository appears as its folder. */
async function untracked({ root, tree, source, besides }: DirtyInput): Promise<string[]> {
  const { git, call } = source;
  const environment = {
    ...call.environment,
    GIT_WORK_TREE: root,
    GIT_INDEX_FILE: join(call.gitDir, 'index-of-head'),
  };
  await git.run({ ...call, args: ['read-tree', tree], environment });
  const { stdout } = await git.run({
    ...call,
    args: ['ls-files', '--others', '--exclude-per-directory=.gitignore', '-z'],
    folder: root,
    environment,
  });
  return stdout
    .toString('utf8')
    .split('\0')
    .filter(
      (path) => path !== '' && !besides.some((folder) => path === folder || path.startsWith(`${folder}/`)),
    );
}

/** Whether all folders on the way to a path are real: one that became a link leads out of the checkout. */
class RealFolders {
  private readonly known = new Map<string, Promise<boolean>>();
  private readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  holds(path: Buffer): Promise<boolean> {
    const text = path.toString('latin1');
    const slash = text.lastIndexOf('/');
    return slash < 0 ? Promise.resolve(true) : this.isReal(text.slice(0, slash));
  }

  private isReal(folder: string): Promise<boolean> {
    const known = this.known.get(folder);
    if (known !== undefined) return known;
    const answer = this.check(folder);
    this.known.set(folder, answer);
    return answer;
  }

  private async check(folder: string): Promise<boolean> {
    const slash = folder.lastIndexOf('/');
    if (slash >= 0 && !(await this.isReal(folder.slice(0, slash)))) return false;
    const kind = await lstat(absolute(this.root, Buffer.from(folder, 'latin1'))).catch(() => undefined);
    return kind?.isDirectory() === true;
  }
}

function absolute(root: string, path: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), path]);
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
