import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of the run outside the workspace: HOME of its children, with their configuration and rendered files. */
export function makeHome(run: string): string {
  return mkdtempSync(join(tmpdir(), `kg-${run}-`));
}

/** Removes the homes of a run, also of one that was killed. Only real folders of ours: a link could lead anywhere. */
export function removeHomes(run: string): void {
  const name = new RegExp(`^kg-${run}-[A-Za-z0-9]{6}$`);
  for (const found of readdirSync(tmpdir())) {
    if (!name.test(found)) continue;
    const path = join(tmpdir(), found);
    const kind = lstatSync(path, { throwIfNoEntry: false });
    if (kind?.isDirectory() && kind.uid === process.getuid?.())
      rmSync(path, { recursive: true, force: true });
  }
}
