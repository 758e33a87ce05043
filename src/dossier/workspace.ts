import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';
import { writeWhole } from './write-whole.ts';

export const OUT_FOLDER = 'knowngood-out';
const RUN_FILE = 'run.json';

/**
 * Opens `knowngood-out` of this run and returns its absolute path. It must be absent or a real directory that an
 * earlier step of the same run made: a checkout that brings its own (as tracked files or as a link) could hand us
 * findings that nobody made.
 *
 * `tracked` are the files that git tracks below it.
 */
export function openOutFolder(workspace: string, runId: string, tracked: readonly string[]): string {
  const out = join(workspace, OUT_FOLDER);
  if (tracked.length > 0) {
    throw new Failure('workspace-seeded', `git tracks files in ${OUT_FOLDER} (${tracked[0]}).`);
  }
  const kind = lstatSync(out, { throwIfNoEntry: false });
  if (kind !== undefined && !kind.isDirectory()) {
    throw new Failure(
      'workspace-seeded',
      `${OUT_FOLDER} is ${kind.isSymbolicLink() ? 'a link' : 'not a folder'}.`,
    );
  }
  if (kind === undefined) mkdirSync(out);
  const run = readRun(join(out, RUN_FILE));
  if (run === undefined) {
    if (readdirSync(out).length > 0) {
      throw new Failure('workspace-seeded', `${OUT_FOLDER} holds files that no step of this run made.`);
    }
    writeWhole(join(out, RUN_FILE), `${JSON.stringify({ schema: 'knowngood/run/v1', id: runId })}\n`);
  } else if (run !== runId) {
    throw new Failure('workspace-seeded', `${OUT_FOLDER} is of another run.`, {
      remedy: `Delete ${OUT_FOLDER} before the first step; a fresh checkout does.`,
    });
  }
  return out;
}

function readRun(path: string): string | undefined {
  const kind = lstatSync(path, { throwIfNoEntry: false });
  if (kind === undefined) return undefined;
  try {
    if (!kind.isFile() || kind.size > 4096) throw new Error('not a small file');
    const value = JSON.parse(readFileSync(path, 'utf8')) as { id?: unknown };
    if (typeof value.id === 'string') return value.id;
    throw new Error('no id');
  } catch (cause) {
    throw new Failure('workspace-seeded', `${OUT_FOLDER}/${RUN_FILE} was not written by knowngood.`, {
      cause,
    });
  }
}
