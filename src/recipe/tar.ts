import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-stream';
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
import { byteOrder } from './order.ts';
import { blobId, type ContextTree, type TreeFile } from './tree.ts';

type Header = Parameters<Pack['entry']>[0];
type Entry = ReturnType<Pack['entry']>;

export interface PackOptions {
  /** Seconds since 1970 that every entry bears as its time: SOURCE_DATE_EPOCH, by default the commit's time. */
  readonly epoch: number;
  /** Content to send under a path instead of the file, or in addition to the files; `0644`. */
  readonly replaced?: ReadonlyMap<string, Uint8Array>;
}

/** Chunks of a large file: below what a pipe to an engine takes at once, and read into one buffer each. */
const CHUNK = 256 * 1024;

/** The last time that the archive library writes rightly, and the first: a commit may claim any. */
const LAST_TIME = 2 ** 31 - 1;

const MODES: Readonly<Record<Mode, number>> = { '100644': 0o644, '100755': 0o755, '120000': 0o777 };

/**
 * A context as a tar stream, the same bytes for the same tree and time: sorted, owner 0, folders 0755. It is read
 * while it is sent, and no faster than it is taken. Each file is hashed again: where one is not what the tree
 * says, the stream fails with `candidate-changed` before its end, so that no builder takes it for whole.
 */
export function packContext(tree: ContextTree, options: PackOptions): Readable {
  const archive = pack();
  const seconds = Math.min(Math.max(Math.trunc(options.epoch), 0), LAST_TIME);
  const output = Readable.from(archive, { objectMode: false, highWaterMark: CHUNK });
  // The taker may go away at any time; then whoever waits to write must not wait for ever.
  output.once('close', () => archive.destroy());
  fill(archive, tree, new Date(seconds * 1000), options.replaced ?? new Map()).then(
    () => archive.finalize(),
    (error: Error) => output.destroy(error),
  );
  return output;
}

async function fill(
  archive: Pack,
  tree: ContextTree,
  mtime: Date,
  replaced: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const byPath = new Map(tree.files.map((file) => [file.path, file]));
  const paths = [...new Set([...byPath.keys(), ...replaced.keys()])].sort(byteOrder);
  const folders = new Set<string>();
  const owned = { mtime, uid: 0, gid: 0 };
  for (const path of paths) {
    for (const name of foldersOf(path)) {
      if (folders.has(name)) continue;
      folders.add(name);
      await whole(archive, { ...owned, name, type: 'directory', mode: 0o755 });
    }
    const file = byPath.get(path);
    const bytes = replaced.get(path);
    const mode = MODES[file?.mode ?? '100644'];
    if (bytes !== undefined) {
      await whole(archive, { ...owned, name: path, type: 'file', mode }, Buffer.from(bytes));
    } else if (file?.mode === '120000') {
      const linkname = link(tree.folder, file);
      await whole(archive, { ...owned, name: path, type: 'symlink', mode, linkname });
    } else if (file !== undefined && file.size <= WHOLE_LIMIT) {
      await whole(archive, { ...owned, name: path, type: 'file', mode }, small(tree.folder, file));
    } else if (file !== undefined) {
      await large(archive, { ...owned, name: path, type: 'file', mode, size: file.size }, tree.folder, file);
    }
  }
}

/** `a`, `a/b` for `a/b/c`. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function link(folder: string, file: TreeFile): string {
  const text = linkText(folder, file.path);
  if (blobId(text) !== file.id) throw changed(file.path);
  return text.toString('utf8');
}

/** Checked before the first of its bytes is sent. */
function small(folder: string, file: TreeFile): Buffer {
  const { file: opened, stats } = openFile(folder, file.path);
  try {
    const bytes = Buffer.allocUnsafe(file.size);
    const same =
      stats.size === file.size &&
      modeOf(stats) === file.mode &&
      readFully(opened, bytes, file.size) === file.size &&
      blobId(bytes) === file.id;
    if (!same) throw changed(file.path);
    return bytes;
  } finally {
    closeSync(opened);
  }
}

/** Checked while it is sent: its last byte goes out only if all of them were the ones of the tree. */
async function large(archive: Pack, header: Header, folder: string, file: TreeFile): Promise<void> {
  const opened = await openLarge(folder, file.path);
  try {
    const stats = await opened.stat();
    if (!stats.isFile() || stats.size !== file.size || modeOf(stats) !== file.mode) throw changed(file.path);
    const hash = createHash('sha256').update(`blob ${file.size}\0`);
    const { entry, ended } = begin(archive, header);
    for (let sent = 0; sent < file.size; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, file.size - sent));
      const { bytesRead } = await opened.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) throw changed(file.path);
      sent += bytesRead;
      hash.update(chunk.subarray(0, bytesRead));
      if (sent === file.size && hash.digest('hex') !== file.id) throw changed(file.path);
      if (!entry.write(chunk.subarray(0, bytesRead))) await Promise.race([drained(entry), ended]);
    }
    entry.end(null);
    await ended;
  } finally {
    await opened.close();
  }
}

function whole(archive: Pack, header: Header, bytes?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void => (error ? reject(error) : resolve());
    if (bytes === undefined) archive.entry(header, done);
    else archive.entry({ ...header, size: bytes.length }, bytes, done);
  });
}

function begin(archive: Pack, header: Header): { entry: Entry; ended: Promise<void> } {
  let entry: Entry | undefined;
  const ended = new Promise<void>((resolve, reject) => {
    entry = archive.entry(header, (error) => (error ? reject(error) : resolve()));
  });
  // Where the file fails first, nobody waits for the entry any more; it is destroyed with the whole stream, whose
  // error says the same.
  ended.catch(() => undefined);
  entry!.on('error', () => undefined);
  return { entry: entry!, ended };
}

function drained(entry: Entry): Promise<void> {
  return new Promise((resolve) => entry.once('drain', () => resolve()));
}
