import { type Finding, finding } from '../outcome.ts';
import { reasons as table } from '../reasons.ts';
import type { SweepOutcome, SweepResult } from '../rules/sweep/result.ts';
import { code, table as markdownTable } from './markdown.ts';

/** One line of the log about one recipe. */
export function resultLine({ recipe, outcome, reasons, old, new: now }: SweepResult): string {
  const versions = old === now ? (now ?? 'nothing canonical') : `${old ?? 'nothing'} → ${now}`;
  const said = new Set([outcome, ...reasons.slice(0, 1)]);
  return `${recipe}: ${[...said].join(' ')} (${versions})`;
}

/** Outcomes as the summary tells them: what needs a look first. */
const signs: Readonly<Record<SweepOutcome, string>> = {
  error: '❌',
  red: '⛔',
  inconclusive: '❔',
  gated: '✋',
  deferred: '⏳',
  promoted: '✅',
  skipped: '⏭️',
};
const order = Object.keys(signs);

/** Rows of the table; a summary has a largest size. */
const MOST_ROWS = 300;

/** What the job's summary says: the counts, then every recipe, those without anything new by name only. */
export function sweepSummary(
  results: readonly SweepResult[],
  counts: Readonly<Record<SweepOutcome, number>>,
): string {
  const words = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  const quiet = results.filter(isQuiet).map(({ recipe }) => code(recipe));
  const told = results
    .filter((result) => !isQuiet(result))
    .sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  const more = told.length - MOST_ROWS;
  return [
    words.map(([name, count]) => `**${count}** ${name}`).join(' · '),
    '',
    ...(told.length === 0
      ? []
      : [
          markdownTable(
            ['Result', 'Recipe', 'Known good', 'Why', 'Next try'],
            told.slice(0, MOST_ROWS).map(rowOf),
          ),
          '',
        ]),
    ...(more > 0 ? [`${more} more are in \`results.ndjson\` and on the board.`, ''] : []),
    ...(quiet.length === 0 ? [] : [`Nothing new (${quiet.length}): ${quiet.join(', ')}`]),
  ].join('\n');
}

function isQuiet({ outcome, reasons, mirror }: SweepResult): boolean {
  return outcome === 'skipped' && reasons[0] === 'no-new-version' && mirror !== 'stale';
}

function rowOf(result: SweepResult): readonly string[] {
  const { outcome, recipe, old, new: now, latest, reasons, gate, nextEligibleAt } = result;
  const known = now === null ? 'nothing yet' : code(now);
  const versions =
    outcome === 'promoted'
      ? `${old === null ? 'nothing' : code(old)} → ${known}`
      : latest === null || latest === now
        ? known
        : `${known}, newest ${code(latest)}`;
  const conditions = gate.length > 1 ? gate : reasons.slice(0, 1);
  const why =
    outcome === 'promoted' ? '' : `${conditions.map(code).join(', ')} ${inWords(whyOf(result))}`.trim();
  return [`${signs[outcome]} ${outcome}`, code(recipe), versions, why, shortTime(nextEligibleAt)];
}

const ours: ReadonlySet<string> = new Set(Object.values(table).map(({ sentence }) => sentence));

/** A sentence of our own stands as it is; what others may have written, in a code span. */
function inWords(why: string): string {
  return ours.has(why) ? why : code(why);
}

/** `2026-03-01 14:00 UTC`. */
function shortTime(time: string | null): string {
  return time === null ? '' : `${time.slice(0, 16).replace('T', ' ')} UTC`;
}

/** What a recipe's error is, for the log and annotations. */
export function resultFinding(result: SweepResult): Finding {
  const first = result.reasons[0] ?? 'sweep-errors';
  return finding(first, 'error', `${result.recipe}: ${whyOf(result)}`);
}

/** The result in words. */
export function whyOf({ reasons, message }: SweepResult): string {
  const [first] = reasons;
  return message ?? (first === undefined ? '' : table[first].sentence);
}

/** The address without what may be a credential. */
export function shownAddress(repository: string): string {
  if (!URL.canParse(repository)) return repository;
  const url = new URL(repository);
  url.username = '';
  url.password = '';
  return url.href;
}
