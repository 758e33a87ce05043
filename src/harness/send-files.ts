import { createReadStream, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import { pack as newPack, type Pack } from 'tar-stream';
import { Failure } from '../outcome.ts';

/** Never sent to a container: history with its credentials, and our own hand-off. */
const NEVER = new Set(['.git', 'knowngood-out']);

/** Bytes of files that are sent; a larger tree belongs into an image. */
const LIMIT = 512 * 1024 * 1024;

/**
 * Puts a folder's content, or one file, into a container's folder `target` through the engine's API, so that it
 * does not matter whether the engine sees our files. Links stay links: they are resolved in the container, where
 * they can reach nothing of ours. The container may not have been started.
 */
export async function sendFiles(
  docker: Docker,
  container: string,
  source: string,
  target: string,
  signal: AbortSignal,
  /** What a single file is called there; its own name if left out. */
  fileName?: string,
): Promise<void> {
  const pack = newPack();
  const filled = fill(pack, source, fileName).then(
    () => pack.finalize(),
    (cause: unknown) => pack.destroy(cause as Error),
  );
  const body = Readable.from(pack as unknown as AsyncIterable<Buffer>);
  await docker.getContainer(container).putArchive(body, { path: target, abortSignal: signal } as never);
  await filled;
}

async function fill(pack: Pack, source: string, fileName: string | undefined): Promise<void> {
  const total = { bytes: 0 };
  const kind = lstatSync(source);
  if (kind.isFile()) return add(pack, source, fileName ?? basename(source), total);
  for (const name of readdirSync(source))
    if (!NEVER.has(name)) await add(pack, join(source, name), name, total);
}

async function add(pack: Pack, path: string, name: string, total: { bytes: number }): Promise<void> {
  const kind = lstatSync(path);
  const mode = kind.mode & 0o777;
  if (kind.isDirectory()) {
    pack.entry({ name: `${name}/`, type: 'directory', mode });
    for (const child of readdirSync(path)) {
      if (!NEVER.has(child)) await add(pack, join(path, child), `${name}/${child}`, total);
    }
  } else if (kind.isSymbolicLink()) {
    pack.entry({ name, type: 'symlink', linkname: readlinkSync(path) });
  } else if (kind.isFile()) {
    total.bytes += kind.size;
    if (total.bytes > LIMIT) {
      throw new Failure(
        'workspace-not-mountable',
        `The tree has more than ${LIMIT / 1024 / 1024} MiB to send to the engine.`,
      );
    }
    await pipeline(createReadStream(path), pack.entry({ name, size: kind.size, mode }));
  }
}
