import * as v from 'valibot';
import type { Subject } from '../dossier/schema.ts';
import { Failure } from '../outcome.ts';
import { linesOf, parseLedgerJson } from './recipe-files.ts';

const runLine = v.object({
  recipe: v.string(),
  version: v.string(),
  commit: v.string(),
  subject: v.variant('kind', [
    v.object({ kind: v.literal('image'), image: v.string(), digest: v.optional(v.string()) }),
    v.object({ kind: v.literal('compose'), images: v.record(v.string(), v.string()) }),
  ]),
  verdict: v.picklist(['green', 'red', 'inconclusive']),
  reasons: v.array(v.string()),
  tiers: v.record(v.string(), v.string()),
  base: v.nullable(v.string()),
  run: v.string(),
  startedAt: v.string(),
  finishedAt: v.string(),
  /** This program's version; lines of before it was noted have none. */
  harness: v.optional(v.string()),
  /** RFC 3339 UTC: when this version on this commit was first seen by any run. */
  firstSeen: v.string(),
});

/** One finished test in context `release`. */
export type RunLine = v.InferOutput<typeof runLine>;

/** A finished test as it is handed in; `firstSeen` is the log's to say. */
export interface FinishedRun {
  readonly recipe: string;
  readonly version: string;
  readonly commit: string;
  readonly subject: Subject;
  readonly verdict: RunLine['verdict'];
  readonly reasons: readonly string[];
  /** Verdict by tier. */
  readonly tiers: Readonly<Record<string, string>>;
  /** Version of the upgrade base, null where there was none. */
  readonly base: string | null;
  readonly run: string;
  /** RFC 3339 UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** This program's version. */
  readonly harness?: string;
}

/** Reads `runs.ndjson`; a line that is none is damage (`record-corrupt`), never skipped. */
export function readRuns(recipe: string, text: string): readonly RunLine[] {
  const place = `${recipe}/runs.ndjson`;
  return linesOf(text, place).map((line, index) => {
    const parsed = v.safeParse(runLine, parseLedgerJson(line, `line ${index + 1} of ${place}`));
    if (parsed.success) return parsed.output;
    const at = v.getDotPath(parsed.issues[0]) ?? 'the top';
    throw new Failure('record-corrupt', `Line ${index + 1} of ${place} is damaged at \`${at}\`.`);
  });
}

/** The line with its newline. First seen: as the log already says for this version and commit, else at its start. */
export function nextRunLine(runs: readonly RunLine[], line: FinishedRun): string {
  const earlier = runs.filter((run) => run.version === line.version && run.commit === line.commit);
  const firstSeen = [...earlier.map((run) => run.firstSeen), line.startedAt].sort()[0]!;
  const { recipe, version, commit, subject, verdict, reasons, tiers, base } = line;
  const { run, startedAt, finishedAt, harness } = line;
  const what = { recipe, version, commit, subject, verdict, reasons, tiers, base };
  return `${JSON.stringify({ ...what, run, startedAt, finishedAt, harness, firstSeen })}\n`;
}
