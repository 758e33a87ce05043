import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';

/**
 * The absolute path of a file below `root` that a setting names, and that is there or will be written. What is there
 * of the way to it must be real folders: a link that a checkout brings would have us write, or read, elsewhere. Fails
 * with `path-outside`, naming the setting.
 */
export function fileInside(root: string, relative: string, setting: string): string {
  const parts = relative.split('/').filter((part) => part !== '' && part !== '.');
  const name = parts.pop();
  const isPlain = !relative.startsWith('/') && !/[\u0000-\u001f\u007f]/.test(relative);
  if (name === undefined || !isPlain || [...parts, name].includes('..')) {
    throw new Failure('path-outside', `\`${setting}\` is no path of a file in the workspace.`);
  }
  let folder = root;
  for (const part of parts) {
    folder = join(folder, part);
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) break;
    if (!found.isDirectory()) {
      throw new Failure(
        'path-outside',
        `The path of \`${setting}\` passes through something that is no real folder.`,
      );
    }
  }
  return join(root, ...parts, name);
}
