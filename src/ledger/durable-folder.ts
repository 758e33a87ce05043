import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
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

/** What a write of one file is part of. */
export interface Fenced {
  readonly write: WriteHook;
  /** Fails with `ledger-busy` where the folder's lock is another's; asked last before anything visible changes. */
  readonly stillOurs: () => Promise<void>;
}

const temporaryPrefix = '.tmp-';

/**
 * Puts this text under this name, whole or not at all, also when the power fails: temp file, fsync, rename, fsync of
 * the folder. A process that is stopped right before the rename, and goes on after its lock was broken, finds its
 * temp file gone: whoever takes the lock removes those first (`ledger-busy`).
 */
export async function putFile(
  folder: string,
  name: string,
  text: string,
  { write, stillOurs }: Fenced,
): Promise<void> {
  const temporary = join(folder, `${temporaryPrefix}${randomUUID()}`);
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
    if (systemCode(cause) === 'ENOENT') throw overtaken(folder, cause);
    throw unavailable(join(folder, name), cause);
  }
}

/**
 * Removes the file durably if it still has this text; fine where it is gone. It is moved aside first and looked at
 * there, so that what another run wrote in the meantime is put back and not lost (`ledger-busy`).
 */
export async function removeFile(
  folder: string,
  name: string,
  expected: string,
  { write, stillOurs }: Fenced,
): Promise<void> {
  const path = join(folder, name);
  const aside = join(folder, `${temporaryPrefix}${randomUUID()}`);
  await stillOurs();
  try {
    await write(`remove ${name}`, () => rename(path, aside));
    if ((await readFile(aside, 'utf8').catch(() => expected)) !== expected) {
      await link(aside, path).catch(() => undefined);
      throw overtaken(folder, undefined);
    }
    await unlink(aside).catch(() => undefined);
    await syncFolder(folder);
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT') throw unavailable(path, cause);
  }
}

/** Removes the temp files of processes that were killed or overtaken; only under the folder's lock. */
export async function removeTemporaries(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(temporaryPrefix)) await unlink(join(folder, name)).catch(() => undefined);
  }
}

function overtaken(folder: string, cause: unknown): Failure {
  return new Failure('ledger-busy', `${folder} was changed by another run in the meantime.`, { cause });
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
