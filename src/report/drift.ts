import { createHash } from 'node:crypto';
import type { Finding, Level } from '../outcome.ts';
import type { ReasonCode } from '../reasons.ts';
import { code, table } from './markdown.ts';

/** Marks our one issue about a recipe; with the author's id it is found again. */
export function driftMarker(recipe: string): string {
  return `<!-- knowngood:drift ${recipe} -->`;
}

const signs: Readonly<Record<Level, string>> = { error: '⛔', warning: '⚠️', info: 'ℹ️' };
const order: Readonly<Record<Level, number>> = { error: 0, warning: 1, info: 2 };

/** More rows would be more than a summary or an issue takes. */
const MOST_ROWS = 200;

/** The worst first, then by place: the order in which everything tells them. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort(
    (a, b) =>
      order[a.level] - order[b.level] ||
      compare(a.at?.file ?? '', b.at?.file ?? '') ||
      (a.at?.line ?? 0) - (b.at?.line ?? 0) ||
      (a.at?.column ?? 0) - (b.at?.column ?? 0) ||
      compare(a.code, b.code) ||
      compare(a.message, b.message),
  );
}

export interface DriftReport {
  readonly verdict: 'clean' | 'drift' | 'error';
  readonly findings: readonly Finding[];
  /** What was compared, for people: the names of the checks. */
  readonly checks: readonly string[];
}

const verdicts = {
  clean: '✅ Nothing contradicts',
  drift: '⛔ Drift',
  error: '❌ Not everything could be looked up',
} as const;

/** The summary of a run: verdict, checks, and every finding with what to do about it. */
export function driftSummary({ verdict, findings, checks }: DriftReport): string {
  const counts = (['error', 'warning', 'info'] as const)
    .map((level) => [level, findings.filter((one) => one.level === level).length] as const)
    .filter(([, count]) => count > 0)
    .map(([level, count]) => `${signs[level]} ${count}`);
  return [
    `**${verdicts[verdict]}**${counts.length === 0 ? '' : ` · ${counts.join(' · ')}`}`,
    '',
    `Compared: ${checks.join(', ')}.`,
    '',
    findingsTable(findings),
  ].join('\n');
}

/** One row for each finding: where, what, and what to write instead. Untrusted text stands in code spans. */
function findingsTable(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'No findings.';
  const shown = inOrder(findings).slice(0, MOST_ROWS);
  const rows = shown.map(({ level, code: name, message, remedy, at, replacement }) => [
    `${signs[level]} \`${name}\``,
    at === undefined
      ? ''
      : code([at.file, at.line, at.column].filter((part) => part !== undefined).join(':')),
    code(message),
    replacement === undefined ? code(remedy) : `write ${code(replacement)}`,
  ]);
  const more = findings.length - shown.length;
  return [
    table(['finding', 'where', 'what', 'what to do'], rows),
    ...(more > 0 ? ['', `${more} more are in \`drift-findings\`.`] : []),
  ].join('\n');
}

/** Equal for equal findings, whatever their order. */
export function fingerprintOf(findings: readonly Finding[]): string {
  const lines = findings.map(({ code: name, message, at }) => JSON.stringify([name, message, at ?? null]));
  return hash(lines.sort().join('\n'));
}

/** Equal for an equal set of codes. */
export function urgencyOf(failing: readonly Finding[]): string {
  const codes: readonly ReasonCode[] = [...new Set(failing.map(({ code: name }) => name))];
  return hash([...codes].sort().join(' '));
}

/** Title and body of the issue. `state` is the line by which the next run knows what was told. */
export function driftIssue(
  recipe: string,
  findings: readonly Finding[],
  more: { readonly url: string | undefined; readonly state: string },
): { readonly title: string; readonly body: string } {
  const count = findings.length === 1 ? 'one finding' : `${findings.length} findings`;
  return {
    title: `Drift of ${recipe}: ${count}`,
    body: [
      driftMarker(recipe),
      more.state,
      'Things that should say the same do not. This issue is kept up to date, and closed when nothing is left.',
      '',
      findingsTable(findings),
      '',
      ...(more.url === undefined ? [] : [`[The run](${more.url})`, '']),
    ].join('\n'),
  };
}

/** The body of an issue that is over. */
export function settledIssue(recipe: string, url: string | undefined): string {
  return [
    driftMarker(recipe),
    'Nothing is left: everything that was compared agrees.',
    '',
    ...(url === undefined ? [] : [`[The run](${url})`, '']),
  ].join('\n');
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
