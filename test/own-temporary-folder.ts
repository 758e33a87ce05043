import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Everything that tests put into the system's temporary folder is in one of their own, which goes with the run. */
export function setup(): () => void {
  const before = process.env.TMPDIR;
  // Short, because paths of sockets are limited to 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'kgt-'));
  process.env.TMPDIR = folder;
  return () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
}
