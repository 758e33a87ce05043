import { Failure } from '../outcome.ts';
import type { BlobSource } from './registry.ts';

/** The source in pieces of exactly this size, the last one shorter; a stream is opened anew and never read ahead. */
export async function* chunksOf(source: BlobSource, size: number): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    for (let start = 0; start < source.length; start += size) yield source.subarray(start, start + size);
    return;
  }
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const part of partsOf(source)) {
    held.push(part);
    length += part.length;
    if (length < size) continue;
    const all = Buffer.concat(held, length);
    let start = 0;
    for (; start + size <= length; start += size) yield all.subarray(start, start + size);
    held = [all.subarray(start)];
    length -= start;
  }
  if (length > 0) yield Buffer.concat(held, length);
}

async function* partsOf(source: Exclude<BlobSource, Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of source.open() as AsyncIterable<Uint8Array>) yield part;
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const why = cause instanceof Error ? cause.message : 'unknown error';
    throw new Failure('candidate-changed', `What was to be uploaded cannot be read: ${why}.`, { cause });
  }
}
