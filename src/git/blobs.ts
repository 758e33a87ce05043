import { createHash } from 'node:crypto';
import { Failure } from '../outcome.ts';
import type { ObjectSource } from './objects.ts';

/** Where the content of one blob goes, in chunks. */
export interface BlobSink {
  write(chunk: Buffer): void;
  end(): void;
}

/** How many bytes these blobs have together. Fails with `git-failed` where one is not there or no blob. */
export async function totalSize(source: ObjectSource, ids: readonly string[]): Promise<number> {
  const output = await source.git.text({
    ...source.call,
    args: ['cat-file', '--batch-check=%(objecttype) %(objectsize)'],
    input: ids.map((id) => `${id}\n`).join(''),
  });
  let total = 0;
  for (const line of output === '' ? [] : output.split('\n')) {
    const [type, size] = line.split(' ');
    if (type !== 'blob') throw new Failure('git-failed', 'git lacks a file of the commit.');
    total += Number(size);
  }
  return total;
}

/** Streams the contents of these blobs out of one git process; `sinkFor` is called with each index, in order. */
export async function readBlobs(
  source: ObjectSource,
  ids: readonly string[],
  sinkFor: (index: number) => BlobSink,
): Promise<void> {
  const reader = new BatchReader(ids, sinkFor);
  await source.git.run({
    ...source.call,
    args: ['cat-file', '--batch', '--buffer'],
    input: ids.map((id) => `${id}\n`).join(''),
    onData: (chunk) => reader.push(chunk),
  });
  reader.finish();
}

/**
 * Takes `cat-file --batch` apart: `<id> blob <size>`, a line break, the content, a line break. Each content must have
 * the id that it was asked for by.
 */
class BatchReader {
  private readonly ids: readonly string[];
  private readonly sinkFor: (index: number) => BlobSink;
  private index = 0;
  private head: Buffer = Buffer.alloc(0);
  private sink: BlobSink | undefined;
  private left = 0;
  private hash = createHash('sha1');
  private failure: unknown;

  constructor(ids: readonly string[], sinkFor: (index: number) => BlobSink) {
    this.ids = ids;
    this.sinkFor = sinkFor;
  }

  /** Never throws: it is called from a stream. */
  push(chunk: Buffer): void {
    if (this.failure !== undefined) return;
    try {
      for (let rest = chunk; rest.length > 0; )
        rest = this.sink === undefined ? this.header(rest) : this.content(rest);
    } catch (error) {
      this.failure = error;
    }
  }

  finish(): void {
    if (this.failure !== undefined) throw this.failure;
    if (this.index !== this.ids.length || this.sink !== undefined) {
      throw new Failure('git-failed', 'git gave fewer files than it was asked for.');
    }
  }

  private header(chunk: Buffer): Buffer {
    const end = chunk.indexOf(10);
    this.head = Buffer.concat([this.head, end < 0 ? chunk : chunk.subarray(0, end)]);
    if (end < 0) return Buffer.alloc(0);
    const [id, type, size] = this.head.toString('latin1').split(' ');
    if (id !== this.ids[this.index] || type !== 'blob') {
      throw new Failure('git-failed', 'git lacks a file of the commit.');
    }
    this.head = Buffer.alloc(0);
    this.left = Number(size);
    this.hash = createHash(id?.length === 64 ? 'sha256' : 'sha1').update(`blob ${size}\0`);
    this.sink = this.sinkFor(this.index++);
    return chunk.subarray(end + 1);
  }

  private content(chunk: Buffer): Buffer {
    if (this.left === 0) {
      this.sink?.end();
      this.sink = undefined;
      const id = this.ids[this.index - 1];
      if (this.hash.digest('hex') !== id) throw new Failure('git-failed', `The file ${id} is damaged.`);
      return chunk.subarray(1);
    }
    const part = chunk.subarray(0, this.left);
    this.sink?.write(part);
    this.hash.update(part);
    this.left -= part.length;
    return chunk.subarray(part.length);
  }
}
