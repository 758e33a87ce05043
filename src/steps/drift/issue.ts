import type { Forge } from '../../forge/forge.ts';
import type { Finding } from '../../outcome.ts';
import { driftIssue, driftMarker, fingerprintOf, settledIssue, urgencyOf } from '../../report/drift.ts';
import { type IssuePlan, type IssueReport, planIssue, stateLine } from '../../rules/drift/issue.ts';
import { isOpen } from '../../rules/drift/verdict.ts';

export interface IssueInputs {
  readonly recipe: string;
  readonly findings: readonly Finding[];
  readonly failing: readonly Finding[];
  /** A look-up stayed open. */
  readonly incomplete: boolean;
  readonly url: string | undefined;
  readonly now: number;
}

/**
 * Opens, rewrites or closes the one issue about a recipe. It is ours by the author's id and by its first line: a
 * marker that somebody copied is nothing.
 */
export async function upsertIssue(
  forge: Forge,
  { recipe, findings, failing, incomplete, url, now }: IssueInputs,
): Promise<IssuePlan> {
  // Remarks would keep it open for ever, and what was not answered passes by itself.
  const told = findings.filter((one) => one.level !== 'info' && !isOpen(one));
  const report: IssueReport = {
    clean: told.length === 0,
    incomplete,
    fingerprint: fingerprintOf(told),
    urgency: urgencyOf(failing),
  };
  const marker = driftMarker(recipe);
  const mine = (await forge.issuesBy(await forge.me())).find(({ body }) => body.startsWith(marker));
  const plan = planIssue(mine, report, now);
  const written = driftIssue(recipe, told, { url, state: stateLine(report) });
  if (plan.do === 'open') await forge.createIssue(written);
  if (plan.do === 'update') await forge.editIssue(plan.number, written);
  if (plan.do === 'close') {
    await forge.editIssue(plan.number, { body: settledIssue(recipe, url), state: 'closed' });
  }
  return plan;
}
