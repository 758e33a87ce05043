import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';

/**
 * The absolute path of a folder below `root` that a setting or a file names. Every component must be a real
 * directory: a link could lead out of the checkout, into the files of the runner. Fails with `path-outside`.
 */
export function folderInside(root: string, relative: string): string {
  const parts = components(relative);
  let folder = root;
  for (const part of parts) {
    folder = join(folder, part);
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) throw outside(relative, 'does not exist');
    if (!found.isDirectory())
      throw outside(relative, 'is, or passes through, something that is no real folder');
  }
  return folder;
}

/**
 * The bytes of a regular file below `root`, opened without following links, of at most `limit` bytes;
 * `undefined` where there is no such file. Fails with `path-outside`; the message never shows content.
 */
export function readInside(root: string, relative: string, limit: number): Buffer | undefined {
  const parts = components(relative);
  const name = parts.pop();
  if (name === undefined) throw outside(relative, 'is a folder');
  let folder = root;
  for (const part of parts) {
    folder = join(folder, part);
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!found.isDirectory()) throw outside(relative, 'passes through something that is no real folder');
  }
  const file = openPlain(join(folder, name), relative);
  if (file === undefined) return undefined;
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw outside(relative, 'is no regular file');
    if (found.size > limit) throw outside(relative, `is larger than ${limit} bytes`);
    // One byte more than allowed shows a file that grows while it is read.
    const bytes = Buffer.alloc(limit < found.size + 1 ? limit + 1 : found.size + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length > found.size) throw outside(relative, 'grew while it was read');
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

/** Whether there is anything at this path; a link on the way is an error here too. */
export function existsInside(root: string, relative: string): boolean {
  let at = root;
  let folder = true;
  for (const part of components(relative)) {
    if (!folder) throw outside(relative, 'passes through something that is no real folder');
    at = join(at, part);
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (found === undefined) return false;
    folder = found.isDirectory();
  }
  return true;
}

/** `a/b` from `./a//b/`; refuses what is absolute, climbs, or holds a NUL. */
export function components(relative: string): string[] {
  if (relative.startsWith('/') || relative.includes('\0')) throw outside(relative, 'is not relative');
  const parts = relative.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw outside(relative, 'has `..` in it');
  return parts;
}

function openPlain(path: string, relative: string): number | undefined {
  try {
    // O_NONBLOCK: opening a pipe would wait for a writer that never comes.
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') throw outside(relative, 'is a link');
    throw outside(relative, `cannot be opened (${code})`);
  }
}

function outside(relative: string, why: string): Failure {
  return new Failure('path-outside', `The path \`${relative}\` ${why}.`);
}
