import { type Digest, digestOf } from '../oci/digest.ts';
import { parseStrictJson } from '../oci/strict-json.ts';
import { Failure } from '../outcome.ts';

/** The files of one recipe in a ledger, and the most bytes that each may have. */
export const fileLimits = {
  'canonical.json': 256 * 1024,
  'promotions.ndjson': 64 * 1024 * 1024,
  'runs.ndjson': 64 * 1024 * 1024,
  'intent.json': 1024 * 1024,
  'drift.json': 16 * 1024 * 1024,
} as const satisfies Record<string, number>;

export type FileName = keyof typeof fileLimits;

export const fileNames = Object.keys(fileLimits) as readonly FileName[];

/** The text of each file that is there, all of one moment. */
export type RecipeFiles = { readonly [N in FileName]?: string };

/** New text by file name; `null` removes the file. */
export type FileChanges = { readonly [N in FileName]?: string | null };

/**
 * One digest over everything that a promotion is decided on. Two equal revisions have the same record, trail, run
 * log and intent; what drift remembers is left out, since no decision looks at it.
 */
export function revisionOf(files: RecipeFiles): Digest {
  const decisive = fileNames.filter((name) => name !== 'drift.json').map((name) => files[name] ?? null);
  return digestOf(JSON.stringify(decisive));
}

/** The text of a file of the ledger; bytes that are not UTF-8 are damage (`record-corrupt`). */
export function textOf(bytes: Uint8Array, place: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Failure('record-corrupt', `${place} is not UTF-8.`, { cause });
  }
}

/** Strict JSON (no key twice) of the ledger; `record-corrupt` with the place where it is damaged. */
export function parseLedgerJson(text: string, place: string): unknown {
  try {
    return parseStrictJson(Buffer.from(text), place);
  } catch (cause) {
    throw new Failure('record-corrupt', cause instanceof Failure ? cause.message : `${place} is damaged.`, {
      cause,
    });
  }
}

/** The lines of a file of one JSON document a line. Half a line at the end is damage, not a line. */
export function linesOf(text: string, place: string): readonly string[] {
  if (text === '') return [];
  if (!text.endsWith('\n')) throw new Failure('record-corrupt', `The last line of ${place} is not complete.`);
  return text.slice(0, -1).split('\n');
}
