import { type Digest, digestOf } from '../oci/digest.ts';
import { Failure } from '../outcome.ts';
import { linesOf, parseLedgerJson, type RecipeFiles } from './recipe-files.ts';
import { type CanonicalRecord, ordered, readRecord } from './record.ts';

/** One line of `promotions.ndjson`: a record, chained to the line before it by that line's digest. */
export interface AuditLine {
  readonly record: CanonicalRecord;
  /** sha256 of the previous line without its newline; null on the first. */
  readonly previous: Digest | null;
}

/** The record and the trail behind it, as far as they confirm each other. */
export interface Confirmed {
  readonly record?: CanonicalRecord;
  readonly trail: readonly AuditLine[];
}

/**
 * Reads record and trail and believes them only together: every line carries the digest of the one before, the
 * sequence counts up by one, and `canonical.json` is the last line's record. So a record that somebody rewrote,
 * and a trail that was cut, put in another order or changed in the middle, are `record-untrusted`.
 */
export function confirm(recipe: string, files: RecipeFiles): Confirmed {
  const place = `${recipe}/canonical.json`;
  const trailText = files['promotions.ndjson'];
  const recordJson = files['canonical.json'];
  // The record's own schema is looked at first: a newer program's trail need not be one that we can follow.
  const value = recordJson === undefined ? undefined : parseLedgerJson(recordJson, place);
  const record = value === undefined ? undefined : readRecord(value, place);
  const { trail, lastRecord } = readTrail(recipe, trailText ?? '');
  if (record === undefined) {
    if (trail.length === 0) return { trail };
    throw untrusted(`${recipe} has an audit trail, and no canonical.json.`);
  }
  if (trail.length === 0) throw untrusted(`${recipe} has a canonical.json, and no audit trail.`);
  if (JSON.stringify(value) !== lastRecord) {
    throw untrusted(`${place} is not the record of the last line of promotions.ndjson.`);
  }
  return { record, trail };
}

function readTrail(recipe: string, text: string): { trail: readonly AuditLine[]; lastRecord?: string } {
  const place = `${recipe}/promotions.ndjson`;
  const lines = linesOf(text, place);
  const trail: AuditLine[] = [];
  let before: Digest | null = null;
  let lastRecord: string | undefined;
  for (const [index, line] of lines.entries()) {
    const at = `line ${index + 1} of ${place}`;
    const value = parseLedgerJson(line, at);
    if (typeof value !== 'object' || value === null || !('record' in value) || !('previous' in value)) {
      throw new Failure('record-corrupt', `${at} is no line of an audit trail.`);
    }
    if (value.previous !== before) throw untrusted(`${at} does not follow the line before it.`);
    const record = readRecord(value.record, at);
    if (record.recipe !== recipe) throw untrusted(`${at} is of another recipe.`);
    if (record.sequence !== index + 1) throw untrusted(`${at} has the sequence ${record.sequence}.`);
    trail.push({ record, previous: before });
    before = digestOf(line);
    lastRecord = JSON.stringify(value.record);
  }
  return { trail, ...(lastRecord === undefined ? {} : { lastRecord }) };
}

function untrusted(message: string): Failure {
  return new Failure('record-untrusted', message);
}

/** The line that appends this record to the trail, with its newline. */
export function auditLine(trailText: string, record: CanonicalRecord): string {
  const last =
    trailText === '' ? undefined : trailText.slice(trailText.lastIndexOf('\n', trailText.length - 2) + 1, -1);
  const previous = last === undefined ? null : digestOf(last);
  return `${JSON.stringify({ record: ordered(record), previous })}\n`;
}

/** Whether the trail has this very record, wherever it stands: the question after a write whose answer was lost. */
export function trailHas(trailText: string, record: CanonicalRecord): boolean {
  return trailText.includes(`{"record":${JSON.stringify(ordered(record))},"previous":`);
}
