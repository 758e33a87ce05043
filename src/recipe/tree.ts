import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import { Failure } from '../outcome.ts';
import {
  changed,
  linkText,
  type Mode,
  modeOf,
  openFile,
  openLarge,
  readFully,
  WHOLE_LIMIT,
} from './content.ts';
import type { ContextFiles } from './files.ts';
import { byteOrder } from './order.ts';
import { turn } from './turn.ts';

/** A file as git stores it: its mode, the size of its content (a link's text), and the sha256 id of the blob. */
export interface TreeFile {
  readonly path: string;
  readonly mode: Mode;
  readonly size: number;
  readonly id: string;
}

/** A context with the content of every file named. `id` is what `git write-tree` gives with sha256 objects. */
export interface ContextTree {
  readonly folder: string;
  readonly id: string;
  readonly files: readonly TreeFile[];
}

/**
 * Hashes a context as git does in a repository of `--object-format=sha256`: blobs, and trees over modes, names and
 * ids (git's `Documentation/gitformat-pack`, "tree objects"). Independent of path, umask, times and the order of
 * the file system; only the owner's execute bit counts. Fails with `candidate-changed` where files change meanwhile
 * and with `context-invalid` where one cannot be read.
 */
export async function hashTree(context: ContextFiles, signal?: AbortSignal): Promise<ContextTree> {
  const buffer = Buffer.allocUnsafe(WHOLE_LIMIT);
  const pause = turn(signal);
  const files: TreeFile[] = [];
  for (const file of context.files) {
    const hashed = file.link
      ? hashLink(context.folder, file.path)
      : (hashWhole(context.folder, file.path, buffer) ??
        (await hashLarge(context.folder, file.path, buffer, signal)));
    files.push(hashed);
    // A small file costs as much for being opened as some kilobytes of hashing.
    const waiting = pause(hashed.size + 16384);
    if (waiting !== undefined) await waiting;
  }
  return { folder: context.folder, id: treeId(files), files };
}

/** The id of the tree over these files, in any order; without files, git's empty tree. */
export function treeId(files: readonly TreeFile[]): string {
  const sorted = [...files].sort((a, b) => byteOrder(a.path, b.path));
  return subtree(sorted, 0, sorted.length, 0).toString('hex');
}

/** The id of a blob with this content. */
export function blobId(content: Uint8Array): string {
  return createHash('sha256').update(`blob ${content.length}\0`).update(content).digest('hex');
}

function hashLink(folder: string, path: string): TreeFile {
  const text = linkText(folder, path);
  return { path, mode: '120000', size: text.length, id: blobId(text) };
}

/** `undefined`: larger than the limit. */
function hashWhole(folder: string, path: string, buffer: Buffer): TreeFile | undefined {
  const { file, stats } = openFile(folder, path);
  try {
    if (stats.size > WHOLE_LIMIT) return undefined;
    if (readFully(file, buffer, stats.size) !== stats.size) throw changed(path);
    return { path, mode: modeOf(stats), size: stats.size, id: blobId(buffer.subarray(0, stats.size)) };
  } finally {
    closeSync(file);
  }
}

async function hashLarge(
  folder: string,
  path: string,
  buffer: Buffer,
  signal: AbortSignal | undefined,
): Promise<TreeFile> {
  const file = await openLarge(folder, path);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw changed(path);
    const hash = createHash('sha256').update(`blob ${stats.size}\0`);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (signal?.aborted) throw new Failure('cancelled');
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      length += bytesRead;
      // Otherwise a file that is written to without end is read without end.
      if (length > stats.size) break;
    }
    if (length !== stats.size) throw changed(path);
    return { path, mode: modeOf(stats), size: stats.size, id: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/** The tree over `files[from, to)`, whose paths all share the first `depth` characters. Sorted by whole path. */
function subtree(files: readonly TreeFile[], from: number, to: number, depth: number): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  // Whole paths in byte order are in git's order of entries, where a folder's name counts with a `/` at its end.
  for (let at = from; at < to; ) {
    const file = files[at]!;
    const slash = file.path.indexOf('/', depth);
    let entry: Buffer;
    if (slash === -1) {
      entry = treeEntry(file.mode, file.path.slice(depth), Buffer.from(file.id, 'hex'));
      at += 1;
    } else {
      const prefix = file.path.slice(0, slash + 1);
      let end = at + 1;
      while (end < to && files[end]!.path.startsWith(prefix)) end += 1;
      entry = treeEntry('40000', file.path.slice(depth, slash), subtree(files, at, end, slash + 1));
      at = end;
    }
    parts.push(entry);
    length += entry.length;
  }
  const hash = createHash('sha256').update(`tree ${length}\0`);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function treeEntry(mode: string, name: string, id: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`), id]);
}
