import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';
import { systemCode, unavailable } from './durable-folder.ts';
import type { Waiting, WriteHook } from './store.ts';

const NAME = '.lock';
const leaseMs = 20_000;
const patienceMs = 2 * 60_000;

export interface FolderLock {
  /** Fails with `ledger-busy` where the lock is another's by now: asked before every rename. */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes the lock of a recipe's folder for the milliseconds of one change. It is a file made exclusively, with a lease
 * of 20 seconds that a killed process leaves behind; never judged by pid or host, which mean nothing between
 * containers. Fails with `ledger-busy` after 2 minutes.
 */
export async function lockFolder(folder: string, waiting: Waiting, write: WriteHook): Promise<FolderLock> {
  const path = join(folder, NAME);
  const nonce = randomUUID();
  const until = waiting.now() + patienceMs;
  while (!(await create(path, nonce, waiting, write))) {
    if (waiting.now() > until)
      throw new Failure('ledger-busy', `${folder} is locked by others all the time.`);
    if (!(await breakExpired(path, waiting, write))) await waiting.sleep(5 + waiting.random() * 45);
  }
  const held = async (): Promise<boolean> => (await contentOf(path))?.startsWith(`${nonce} `) ?? false;
  return {
    async assertHeld() {
      if (!(await held()))
        throw new Failure('ledger-busy', `${folder} was locked by another run in the meantime.`);
    },
    async release() {
      const content = await contentOf(path);
      if (!content?.startsWith(`${nonce} `)) return;
      await write('unlock', () => removeIf(path, content)).catch(() => undefined);
    },
  };
}

async function create(path: string, nonce: string, waiting: Waiting, write: WriteHook): Promise<boolean> {
  try {
    await write('lock', async () => {
      const file = await open(path, 'wx', 0o644);
      try {
        await file.writeFile(`${nonce} ${waiting.now() + leaseMs}\n`);
      } finally {
        await file.close();
      }
    });
    return true;
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') return false;
    throw unavailable(path, cause);
  }
}

/**
 * Removes a lock whose lease is over. It is moved aside first and looked at again there: between our look and the
 * move another run may have broken it and locked anew; that one gets its lock back, and asks before it writes.
 */
async function breakExpired(path: string, waiting: Waiting, write: WriteHook): Promise<boolean> {
  const seen = await contentOf(path);
  if (seen === undefined) return true;
  if ((await endOfLease(path, seen)) > waiting.now()) return false;
  await write('break lock', () => removeIf(path, seen));
  return true;
}

/** Removes the lock that has this content. Moved aside and looked at there; another one goes back to its place. */
async function removeIf(path: string, content: string): Promise<void> {
  const aside = `${path}-${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return;
    throw unavailable(path, cause);
  }
  if ((await contentOf(aside)) !== content) await link(aside, path).catch(() => undefined);
  await unlink(aside).catch(() => undefined);
}

/** A process killed between making the file and writing it leaves it empty: then the file's own time counts. */
async function endOfLease(path: string, content: string): Promise<number> {
  const written = /^\S+ (\d{1,15})\n$/.exec(content)?.[1];
  if (written !== undefined) return Number(written);
  const made = await stat(path).catch(() => undefined);
  return (made?.mtimeMs ?? 0) + leaseMs;
}

async function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw unavailable(path, cause);
  });
}
