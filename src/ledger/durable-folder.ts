import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';
import type { WriteHook } from './store.ts';

/** The code of a system error (`ENOENT`), `undefined` for any other. */
export function systemCode(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

/** What the file system refused to do, as a Failure; Failures pass unchanged. */
export function unavailable(path: string, cause: unknown): Failure {
  if (cause instanceof Failure) return cause;
  const code = systemCode(cause) ?? 'an unknown error';
  return new Failure('ledger-unavailable', `The ledger's ${path} could not be read or written: ${code}.`, {
    cause,
  });
}

/** Whether this is a real folder; a link or anything else in its place is `path-outside`. */
export async function isFolder(path: string): Promise<boolean> {
  const stats = await lstat(path).catch((cause: unknown) => {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw unavailable(path, cause);
  });
  if (stats === undefined) return false;
  if (!stats.isDirectory()) throw new Failure('path-outside', `${path} in the ledger is not a real folder.`);
  return true;
}

/** The bytes of a regular file, read without following a link; `undefined` where there is nothing. */
export async function readRegular(path: string, limitBytes: number): Promise<Buffer | undefined> {
  // O_NONBLOCK: a pipe in the file's place must not stop us.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, flags);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP' || code === 'ENXIO') throw notRegular(path);
    throw unavailable(path, cause);
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw notRegular(path);
    if (stats.size > limitBytes) {
      throw new Failure(
        'record-corrupt',
        `${path} has ${stats.size} bytes, and at most ${limitBytes} are believed.`,
      );
    }
    return await file.readFile();
  } catch (cause) {
    throw unavailable(path, cause);
  } finally {
    await file.close();
  }
}

function notRegular(path: string): Failure {
  return new Failure('path-outside', `${path} in the ledger is not a regular file.`);
}

/** Makes the folder and puts its name on disk; fine where it is there. */
export async function makeFolder(parent: string, name: string): Promise<void> {
  const path = join(parent, name);
  try {
    await mkdir(path);
    await syncFolder(parent);
  } catch (cause) {
    if (systemCode(cause) !== 'EEXIST') throw unavailable(path, cause);
  }
  await isFolder(path);
}

/**
 * Puts this text under this name, whole or not at all, also when the power fails: temp file, fsync, rename, fsync of
 * the folder. `stillOurs` is asked last before the rename.
 */
export async function putFile(
  folder: string,
  name: string,
  text: string,
  write: WriteHook,
  stillOurs: () => Promise<void>,
): Promise<void> {
  const temporary = join(folder, `.tmp-${randomUUID()}`);
  try {
    await write(`write ${name}`, async () => {
      const file = await open(temporary, 'wx', 0o644);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
    });
    await stillOurs();
    await write(`rename ${name}`, () => rename(temporary, join(folder, name)));
    await syncFolder(folder);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    throw unavailable(join(folder, name), cause);
  }
}

/** Removes the name durably; fine where it is gone. */
export async function removeFile(
  folder: string,
  name: string,
  write: WriteHook,
  stillOurs: () => Promise<void>,
): Promise<void> {
  await stillOurs();
  try {
    await write(`remove ${name}`, () => unlink(join(folder, name)));
    await syncFolder(folder);
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT') throw unavailable(join(folder, name), cause);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (cause) {
    // Some network and desktop file systems cannot do this for folders; they order renames themselves.
    if (!['EINVAL', 'EPERM', 'ENOTSUP', 'EISDIR'].includes(systemCode(cause) ?? '')) throw cause;
  } finally {
    await folder.close();
  }
}
