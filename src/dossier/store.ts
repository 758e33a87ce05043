import { lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '../outcome.ts';
import type { Dossier } from './schema.ts';
import { writeWhole } from './write-whole.ts';

const LIMIT = 8 * 1024 * 1024;

/**
 * Reads the dossier, `undefined` where no step has written one. Only its frame is checked: whatever matters for a
 * decision is derived again by the step that decides.
 */
export function readDossier(path: string): Dossier | undefined {
  const kind = lstatSync(path, { throwIfNoEntry: false });
  if (kind === undefined) return undefined;
  if (!kind.isFile() || kind.size > LIMIT)
    throw new Failure('dossier-invalid', 'The dossier is no regular file of acceptable size.');
  let value: Partial<Dossier>;
  try {
    value = JSON.parse(readFileSync(path, 'utf8')) as Partial<Dossier>;
  } catch (cause) {
    throw new Failure('dossier-invalid', 'The dossier is not valid JSON.', { cause });
  }
  if (
    value?.schema !== 'knowngood/dossier/v1' ||
    typeof value.run?.id !== 'string' ||
    typeof value.candidate?.commit !== 'string'
  ) {
    throw new Failure(
      'dossier-invalid',
      'The dossier has another schema than this version of knowngood reads.',
    );
  }
  return value as Dossier;
}

/** Writes the dossier whole, two spaces, final newline. */
export function writeDossier(path: string, dossier: Dossier): void {
  mkdirSync(dirname(path), { recursive: true });
  writeWhole(path, `${JSON.stringify(dossier, null, 2)}\n`);
}
