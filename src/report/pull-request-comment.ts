import { type ReasonCode, reasons } from '../reasons.ts';
import { code, table } from './markdown.ts';
import type { ReportedDossier } from './reported-dossier.ts';

/** Marks our one comment of a pull request; with the author's id it is found again. */
export const REPORT_MARKER = '<!-- knowngood:report -->';

/** Marks which commit the comment is about, so that a late run of an older one does not take its place. */
function commitMarker(commit: string): string {
  return `<!-- knowngood:commit:${commit} -->`;
}

/** Whether one of our report comments is about this commit. Only its second line is: the rest quotes people. */
export function isAbout(body: string, commit: string): boolean {
  return body.split(/\r?\n/, 2)[1] === commitMarker(commit);
}

/** The comment that one of our answers is to. Who wrote the answer is for the caller to check. */
export function answeredBy(body: string): number | undefined {
  const found = /^<!-- knowngood:answer:(\d{1,15}) -->/.exec(body)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** The answer to a refused command. */
export function refusalAnswer(
  commentId: number,
  reason: ReasonCode,
  more: {
    readonly word?: string;
    readonly head?: string;
    /** Page of the pull request's changes. */
    readonly changesUrl?: string;
    readonly compareUrl?: string;
    readonly runUrl?: string;
  },
): string {
  const { sentence, remedy } =
    reason === 'sha-required' && more.word !== undefined ? shortCommit : reasons[reason];
  const lines = [
    `<!-- knowngood:answer:${commentId} -->`,
    `**Not started** (\`${reason}\`): ${sentence} ${remedy}`,
  ];
  if (more.word !== undefined) lines.push(`The word was ${code(more.word.slice(0, 200))}.`);
  if (more.head !== undefined) lines.push(`The head is \`${more.head}\`.`);
  if (more.changesUrl !== undefined) lines.push(...link('The changes', more.changesUrl));
  if (more.compareUrl !== undefined) lines.push(...link('What is new', more.compareUrl));
  if (more.runUrl !== undefined) lines.push(...link('The run', more.runUrl));
  return `${lines.join('\n\n')}\n`;
}

/** A short hash is refused for everybody: others can be made that begin with it. */
const shortCommit = {
  sentence: 'Only all 40 digits name a commit.',
  remedy: 'Read the changes, then name the full commit that you read.',
} as const;

export interface ReportedRun {
  readonly commit: string;
  /** The head as it was when this is written; `undefined` where the forge did not say. */
  readonly head: string | undefined;
  readonly state: 'success' | 'failure' | 'error';
  readonly jobResult: string | undefined;
  readonly url: string | undefined;
  /** Absent where the run left none, or one that is not about this commit. */
  readonly dossier: ReportedDossier | undefined;
  /** Why there is no dossier, where that is known. */
  readonly why?: ReasonCode | undefined;
}

const verdicts = { success: '✅ Green', failure: '⛔ Red', error: '❌ No answer' } as const;
const tierMarks: Readonly<Record<string, string>> = { pass: '✅ pass', fail: '⛔ fail', na: '➖ na' };

/** The body of the comment: version, base and why, tiers, times, link, rejected tags. */
export function reportComment(run: ReportedRun): string {
  const { dossier, commit, head } = run;
  const lines = [REPORT_MARKER, commitMarker(commit), `### ${verdicts[run.state]}: \`${commit}\``, ''];
  if (head !== undefined && head !== commit) {
    lines.push(`> **Stale**: the head is \`${head}\` now; this result is not about it.`, '');
  }
  if (dossier === undefined) lines.push(...noResult(run));
  else lines.push(...result(dossier, run));
  if (run.url !== undefined) lines.push(...link('The run', run.url), '');
  return lines.join('\n');
}

function noResult({ jobResult, why }: ReportedRun): string[] {
  const ended = jobResult === undefined ? '' : ` The job ended with ${endOf(jobResult)}.`;
  return why === undefined
    ? [`The run left no result.${ended}`, '']
    : [`The run’s result was not taken (\`${why}\`): ${reasons[why].sentence}${ended}`, ''];
}

function result(dossier: ReportedDossier, { state, jobResult }: ReportedRun): string[] {
  const { base, test, rejected } = dossier;
  const lines = [`Version ${code(dossier.version ?? 'unknown')} of ${code(dossier.recipe)}.`, ''];
  if (base !== undefined) {
    const why = base.reason === undefined ? '' : ` (${told(base.reason).replace(/\.$/, '')})`;
    lines.push(
      base.version === undefined
        ? `No upgrade was tested${why}.`
        : `Upgraded from ${code(base.version)}${why}.`,
      '',
    );
  }
  if (test === undefined) lines.push('No test was finished.', '');
  else {
    if (state !== 'success' && test.reason !== undefined) lines.push(`Why: ${told(test.reason)}`, '');
    if (test.tiers.length > 0) lines.push(tierTable(test.tiers), '');
  }
  if (state === 'error' && jobResult !== undefined && jobResult !== 'success') {
    lines.push(`The job ended with ${endOf(jobResult)}, so nothing above is an answer.`, '');
  }
  if (rejected.length > 0) {
    const cells = rejected.map(({ tag, reason }) => [code(tag), code(reason)]);
    lines.push('<details><summary>Rejected tags</summary>', '', table(['tag', 'reason'], cells), '');
    lines.push('</details>', '');
  }
  return lines;
}

function tierTable(tiers: NonNullable<ReportedDossier['test']>['tiers']): string {
  // The column stands for nothing where everything passed.
  const reasoned = tiers.some(({ reason }) => reason !== undefined);
  return table(
    ['tier', 'verdict', 'time', ...(reasoned ? ['reason'] : [])],
    tiers.map(({ name, verdict, seconds, reason }) => [
      code(name),
      Object.hasOwn(tierMarks, verdict) ? tierMarks[verdict]! : code(verdict),
      seconds === undefined ? '' : `${seconds.toFixed(1)} s`,
      ...(reasoned ? [reason === undefined ? '' : code(reason)] : []),
    ]),
  );
}

/** A reason as a dossier names it: our own words where it is one of ours, else just what it says, inert. */
function told(reason: string): string {
  const known = Object.hasOwn(reasons, reason) ? reasons[reason as ReasonCode] : undefined;
  return known === undefined ? code(reason) : `\`${reason}\`: ${known.sentence}`;
}

/** How a job ended, in the words that CIs have for it. */
function endOf(jobResult: string): string {
  return /^(success|failure|cancelled|skipped|killed|error)$/.test(jobResult)
    ? `\`${jobResult}\``
    : 'no result';
}

/** A link to a page that the host named, or nothing where the text is no plain address. */
function link(text: string, url: string): string[] {
  return /^https?:\/\/[\w.:[\]-]+\/[\w./~%?=&#+@:-]*$/.test(url) ? [`[${text}](${url})`] : [];
}
