import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** A body that will not do, however often it is sent; the message completes "the answer …". Never leaves this room. */
export class UnfitBody extends Error {}

/**
 * Collects a body, counting *decoded* bytes: a few kilobytes of gzip hold gigabytes. Over the limit it stops reading
 * and fails with `UnfitBody`, or gives what it has where `cut` is set.
 */
export async function readBody(
  stream: Readable,
  options: { readonly encoding: string | undefined; readonly limit: number; readonly cut: boolean },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let decoded = stream;
  let total = 0;
  try {
    decoded = decode(stream, options.encoding);
    for await (const chunk of decoded as AsyncIterable<Uint8Array>) {
      const room = options.limit - total;
      if (chunk.length > room) {
        if (!options.cut) throw new UnfitBody(`has more than ${options.limit} bytes`);
        chunks.push(chunk.subarray(0, room));
        break;
      }
      total += chunk.length;
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'Z_DATA_ERROR') {
      throw new UnfitBody('cannot be decompressed', { cause });
    }
    throw cause;
  } finally {
    // What is not read to its end must not keep the connection, or fail later with nobody listening.
    for (const open of [stream, decoded]) if (!open.readableEnded) open.on('error', () => {}).destroy();
  }
  return Buffer.concat(chunks);
}

function decode(stream: Readable, encoding: string | undefined): Readable {
  const decoder = decoderOf((encoding ?? '').trim().toLowerCase());
  if (decoder === undefined) return stream;
  stream.on('error', (error) => decoder.destroy(error));
  return stream.pipe(decoder);
}

function decoderOf(encoding: string) {
  switch (encoding) {
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      throw new UnfitBody(`has the unknown encoding ${JSON.stringify(encoding.slice(0, 40))}`);
  }
}
