import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';

/** A mode as git has it; `40000`, a folder, is none of a file. */
export type Mode = '100644' | '100755' | '120000';

/**
 * Files up to this many bytes are read at once and synchronously; a stream for each of thousands of small files is
 * four times slower.
 */
export const WHOLE_LIMIT = 1024 * 1024;

/** Never through a link that took the file's place, and never waiting for a pipe's writer. */
const PLAINLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Opens a file of a context for reading, never through a link in its place. */
export function openFile(folder: string, path: string): { file: number; stats: Stats } {
  let file: number;
  try {
    file = openSync(join(folder, path), PLAINLY);
  } catch (error) {
    throw unreadable(path, error);
  }
  const stats = fstatSync(file);
  if (stats.isFile()) return { file, stats };
  closeSync(file);
  throw changed(path);
}

/** The text of a link. Fails with `context-invalid` where it is not UTF-8, which no archive could carry for us. */
export function linkText(folder: string, path: string): Buffer {
  let text: Buffer;
  try {
    text = readlinkSync(join(folder, path), { encoding: 'buffer' });
  } catch (error) {
    throw unreadable(path, error);
  }
  if (Buffer.from(text.toString('utf8'), 'utf8').equals(text)) return text;
  throw new Failure(
    'context-invalid',
    `The link \`${path}\` in the context points to a name that is not UTF-8.`,
  );
}

/** Reads up to `length` bytes from the current position; fewer only at the end of the file. */
export function readFully(file: number, buffer: Buffer, length: number): number {
  let filled = 0;
  while (filled < length) {
    const read = readSync(file, buffer, filled, length - filled, null);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

export function modeOf(stats: Stats): Mode {
  return (stats.mode & constants.S_IXUSR) === 0 ? '100644' : '100755';
}

export function changed(path: string): Failure {
  return new Failure('candidate-changed', `The file \`${path}\` changed while the context was read.`);
}

export async function openLarge(folder: string, path: string): Promise<FileHandle> {
  try {
    return await open(join(folder, path), PLAINLY);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): Failure {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL', 'ENXIO'].includes(code)) return changed(path);
  return new Failure('context-invalid', `\`${path}\` in the context cannot be read (${code}).`, {
    remedy: 'Make it readable, or ignore it in .dockerignore.',
    cause,
  });
}
