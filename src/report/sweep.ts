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

/** What the job's summary says: the counts, then every recipe. */
export function sweepSummary(
  results: readonly SweepResult[],
  counts: Readonly<Record<SweepOutcome, number>>,
): string {
  const words = Object.entries(counts).filter(([, count]) => count > 0);
  return [
    words.map(([name, count]) => `**${count}** ${name}`).join(' · '),
    '',
    markdownTable(
      ['Recipe', 'Result', 'Reason', 'Known good', 'Next try'],
      results.map((result) => [
        code(result.recipe),
        result.outcome,
        code(result.reasons[0] ?? ''),
        result.new === null ? 'nothing yet' : code(result.new),
        result.nextEligibleAt ?? '',
      ]),
    ),
  ].join('\n');
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
