import type { Dossier } from '../dossier/schema.ts';
import { type ReasonCode, reasons } from '../reasons.ts';
import { code, table } from './markdown.ts';

/** Marks our one comment of a pull request; with the author's id it is found again. */
export const REPORT_MARKER = '<!-- knowngood:report -->';

/** Marks the one answer to a command. */
export function answerMarker(commentId: number): string {
  return `<!-- knowngood:answer:${commentId} -->`;
}

/** The answer to a refused command. */
export function refusalAnswer(
  commentId: number,
  reason: ReasonCode,
  more: {
    readonly word?: string;
    readonly head?: string;
    readonly compareUrl?: string;
    readonly runUrl?: string;
  },
): string {
  const { sentence, remedy } = reasons[reason];
  const lines = [answerMarker(commentId), `**Not started** (\`${reason}\`): ${sentence} ${remedy}`];
  if (more.word !== undefined) lines.push(`The word was ${code(more.word)}.`);
  if (more.head !== undefined) lines.push(`The head is \`${more.head}\`.`);
  if (more.compareUrl !== undefined) lines.push(`[What is new](${more.compareUrl})`);
  if (more.runUrl !== undefined) lines.push(`[The run](${more.runUrl})`);
  return `${lines.join('\n\n')}\n`;
}

export interface ReportedRun {
  readonly commit: string;
  /** The head as it was when this is written. */
  readonly head: string;
  readonly state: 'success' | 'failure' | 'error';
  readonly jobResult: string | undefined;
  readonly url: string | undefined;
  readonly dossier: Dossier | undefined;
}

const verdicts = { success: '✅ Green', failure: '⛔ Red', error: '❌ No answer' } as const;

/** The body of the comment: version, base and why, tiers, times, link, rejected tags. */
export function reportComment(run: ReportedRun): string {
  const { dossier } = run;
  const lines = [REPORT_MARKER, `### ${verdicts[run.state]}: \`${run.commit}\``, ''];
  if (run.head !== run.commit) {
    lines.push(`> **Stale**: the head is \`${run.head}\` now; this result is not about it.`, '');
  }
  if (dossier === undefined) {
    const ended = run.jobResult === undefined ? '' : ` The job ended with ${code(run.jobResult)}.`;
    lines.push(`The run left no result.${ended}`, '');
  } else {
    const base = dossier.upgradeBase;
    lines.push(
      `Version ${code(dossier.candidate.version ?? 'unknown')} of ${code(dossier.candidate.recipe)}.`,
      '',
    );
    if (base !== undefined) {
      const reason = base.reasons[0];
      const why = reason === undefined ? '' : ` (\`${reason}\`: ${reasons[reason]?.sentence ?? ''})`;
      lines.push(
        base.base === undefined
          ? `No upgrade was tested${why}.`
          : `Upgraded from ${code(base.base.version)}${why}.`,
        '',
      );
    }
    if (dossier.test !== undefined && 'tiers' in dossier.test) {
      lines.push(
        table(
          ['tier', 'verdict', 'time', 'reason'],
          dossier.test.tiers.map((tier) => [
            code(tier.name),
            tier.verdict,
            `${(tier.durationMs / 1000).toFixed(1)} s`,
            tier.reason === undefined ? '' : code(tier.reason),
          ]),
        ),
        '',
      );
    }
    if (base !== undefined && base.rejected.length > 0) {
      const rows = base.rejected.slice(0, 20).map(({ tag, reason }) => [code(tag), code(reason)]);
      lines.push(
        '<details><summary>Rejected tags</summary>',
        '',
        table(['tag', 'reason'], rows),
        '',
        '</details>',
        '',
      );
    }
  }
  if (run.url !== undefined) lines.push(`[The run](${run.url})`, '');
  return lines.join('\n');
}
