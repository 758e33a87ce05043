import type { TierResult, TierVerdict } from '../dossier/schema.ts';
import type { Phase, TestRun, Trouble } from '../harness/outcome-of-run.ts';
import { type ReasonCode, reasons } from '../reasons.ts';
import { block, code, table } from './markdown.ts';

const marks: Readonly<Record<TierVerdict, string>> = {
  pass: '✅ pass',
  fail: '⛔ fail',
  na: '➖ n/a',
  inconclusive: '❔ inconclusive',
};

/** `1.2 s`, `3 m 04 s`, as people read times. */
export function seconds(ms: number): string {
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`;
  const whole = Math.round(ms / 1000);
  return `${Math.floor(whole / 60)} m ${String(whole % 60).padStart(2, '0')} s`;
}

/** One line for each phase, as it ends. */
export function phaseLine({ tier, name, ms, ok, detail }: Phase): string {
  const line = `${ok ? 'ok  ' : 'FAIL'} ${seconds(ms).padStart(8)}  ${tier}: ${name}`;
  return ok || detail === undefined ? line : `${line}: ${detail}`;
}

/** What the log ends with: a line a tier, and what a person needs of each failure. */
export function tierLines(tiers: readonly TierResult[]): string[] {
  const width = Math.max(0, ...tiers.map(({ name }) => name.length));
  return tiers.map(({ name, verdict, reason, detail, durationMs }) => {
    const why = reason === undefined ? '' : `  ${reason}${detail === undefined ? '' : `: ${detail}`}`;
    return `${name.padEnd(width)}  ${verdict.padEnd(12)}  ${seconds(durationMs).padStart(8)}${why}`;
  });
}

/** Head line of a failure; its lines follow as foreign text. */
export function troubleTitle({ of, tier, role, lines }: Trouble): string {
  const whose = `${of ?? 'the output'} (${role}, ${tier})`;
  if (lines.length === 0) return `${whose} printed nothing.`;
  return `Last ${lines.length === 1 ? 'line' : `${lines.length} lines`} of ${whose}:`;
}

/** Lines of a container for the log, set off from our own where the host does not do that. */
export function troubleText({ lines }: Trouble): string {
  return lines.map((line) => `  | ${line}`).join('\n');
}

export interface TestSummary {
  readonly tiers: readonly TierResult[];
  readonly run: Pick<TestRun, 'troubles' | 'broken' | 'findings'>;
  readonly candidate: string;
  readonly base?: { readonly version: string; readonly reason: string };
  readonly reasons: readonly ReasonCode[];
  readonly logs: string;
  readonly reproduce: string;
}

/** The summary's Markdown: the tiers, why it is not green, the last lines, and how to run it again. */
export function testSummary(summary: TestSummary): string {
  const { tiers, run, base } = summary;
  const lines = [
    base === undefined
      ? `Candidate ${code(summary.candidate)}.`
      : `From ${code(base.version)} (${code(base.reason)}) to ${code(summary.candidate)}.`,
    '',
    table(
      ['tier', 'result', 'time', 'why'],
      tiers.map(({ name, verdict, reason, detail, durationMs }) => [
        code(name),
        marks[verdict],
        seconds(durationMs),
        [reason, detail]
          .map((part) => (part === undefined ? '' : code(part)))
          .join(' ')
          .trim(),
      ]),
    ),
    '',
  ];
  for (const trouble of run.troubles) {
    lines.push(`**${code(trouble.code)}** ${code(trouble.detail)}`, '');
    if (trouble.lines.length > 0)
      lines.push(code(troubleTitle(trouble)), '', block(trouble.lines.join('\n')), '');
  }
  if (run.broken.length > 0) {
    lines.push('If that release is really broken, declare it in knowngood.yml on the release branch:', '');
    lines.push('```yaml', ...knownBrokenEntry(run.broken).split('\n'), '```', '');
  }
  const first = summary.reasons[0];
  if (first !== undefined && first !== 'green') lines.push(`**What to do:** ${reasons[first].remedy}`, '');
  lines.push(`Logs: ${code(summary.logs)}. To run it again: ${code(summary.reproduce)}`);
  return lines.join('\n');
}

/** Entries of `known-broken`, ready to paste. The reason is JSON, which is YAML too, so that no text can leave it. */
export function knownBrokenEntry(broken: TestRun['broken']): string {
  return [
    'known-broken:',
    ...broken.map(({ version, why }) => {
      const reason = why.replace(/\s+/g, ' ').trim().slice(0, 200);
      return `  - { version: ${yamlText(version)}, reason: ${JSON.stringify(reason)} }`;
    }),
  ].join('\n');
}

/** Plain where YAML reads it as a text; `1.10` would be a number. */
function yamlText(text: string): string {
  return /^[0-9A-Za-z][0-9A-Za-z+._-]*$/.test(text) && /[A-Za-z+_-]|\..*\./.test(text)
    ? text
    : JSON.stringify(text);
}

/** A command line that does the same run by hand. */
export function reproduction(what: {
  readonly commit: string;
  readonly recipe: string;
  readonly baseTag?: string;
  readonly tiers: readonly string[];
  /** Folder of the recipe, and its configuration, where they are not the default ones. */
  readonly context: string;
  readonly config: string;
}): string {
  const words = ['knowngood', 'change', '--recipe', what.recipe, '--tiers', what.tiers.join(','), '--keep'];
  if (what.context !== '.') words.push('--context', what.context);
  if (what.config !== 'knowngood.yml') words.push('--config', what.config);
  if (what.baseTag !== undefined) words.push('--upgrade-base', what.baseTag);
  return `git checkout ${what.commit} && ${words.map(shellWord).join(' ')}`;
}

function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
