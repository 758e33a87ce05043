import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Runs `body` while no other process of this machine holds the lock `file`. The kernel's lock is held by a
 * child that ends with us, so that a killed owner leaves nothing stale behind.
 */
export async function withLock<T>(file: string, body: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const holder = spawn('flock', ['-x', file, '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => holder.on('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once('data', () => resolve());
    holder.once('error', reject);
    holder.once('close', () => reject(new Error(`the lock ${file} could not be taken`)));
  });
  try {
    return await body();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
