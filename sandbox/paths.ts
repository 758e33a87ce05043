import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout that this file belongs to: the sandbox also runs as part of a bundle in another folder. */
export const projectRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

/** Everything the sandbox downloads, makes or runs is below this folder, which git ignores. */
export const sandboxFolder: string = join(projectRoot, '.sandbox');

export const runFolder: string = join(sandboxFolder, 'run');

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'knowngood')
      return folder;
    if (dirname(folder) === folder) throw new Error(`no knowngood checkout above ${start}`);
  }
}
