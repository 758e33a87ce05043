import type { StepReport } from '../hosts/host.ts';
import type { Failure, OutcomeName } from '../outcome.ts';
import { type ReasonCode, reasons as table } from '../reasons.ts';
import { plainAscii } from '../untrusted/text.ts';
import { code } from './markdown.ts';

interface Ended {
  readonly outcome: OutcomeName;
  readonly reasons: readonly ReasonCode[];
  readonly outputs: Readonly<Record<string, string | undefined>>;
  readonly summary?: string;
  readonly facts?: readonly (readonly [string, string])[];
}

/** What the host is told about a step's end: the outputs of every step, the step's own, the summary. */
export function stepReport(
  step: string,
  ended: Ended,
  failures: readonly Failure[],
  dossier?: string,
): StepReport {
  const reason = ended.reasons[0] ?? '';
  const outputs: Record<string, string> = {
    outcome: ended.outcome,
    reason,
    reasons: JSON.stringify(ended.reasons),
    ...(dossier === undefined ? {} : { dossier }),
  };
  for (const [name, value] of Object.entries(ended.outputs)) {
    if (value !== undefined) outputs[name] = plainAscii(value);
  }
  return {
    step,
    outcome: ended.outcome,
    reasons: ended.reasons,
    outputs,
    summary: summaryOf(step, ended, failures),
    facts: ended.facts ?? [],
  };
}

const marks: Readonly<Record<OutcomeName, string>> = { done: '✅', skipped: '⏭️', refused: '⛔', error: '❌' };

function summaryOf(step: string, ended: Ended, failures: readonly Failure[]): string {
  const reason = ended.reasons[0];
  const lines = [
    `### ${marks[ended.outcome]} ${step}: ${ended.outcome}${reason === undefined ? '' : ` \`${reason}\``}`,
    '',
  ];
  if (failures.length > 0) {
    for (const failure of failures)
      lines.push(`${code(failure.message)}`, '', `**What to do:** ${code(failure.remedy)}`, '');
  } else if (reason !== undefined && ended.summary === undefined) {
    lines.push(table[reason].sentence, '');
  }
  if (ended.summary !== undefined) lines.push(ended.summary, '');
  return `${lines.join('\n')}\n`;
}
