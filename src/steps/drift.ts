import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Failure, type Finding } from '../outcome.ts';
import { driftSummary, inOrder } from '../report/drift.ts';
import { sarifLog } from '../report/sarif.ts';
import { nextBaseline, readBaseline } from '../rules/drift/baseline.ts';
import type { IssuePlan } from '../rules/drift/issue.ts';
import { outagesJoined } from '../rules/drift/outage.ts';
import { type DriftVerdict, driftVerdict } from '../rules/drift/verdict.ts';
import { asFindings, type Examined, examine, examineFleet } from './drift/examine.ts';
import { upsertIssue } from './drift/issue.ts';
import type { Project } from './drift/project.ts';
import { type Asked, wishes } from './drift/wishes.ts';
import type { FreeStep, FreeStepInput, StepResult } from './step.ts';

/** Compares everything that should agree. Reads and reports; changes nothing but its own report and memory. */
export const step: FreeStep = {
  name: 'drift',
  about: 'project',
  async run(input) {
    const asked = wishes(input);
    const examined = await examineAll(input, asked);
    try {
      const findings = inOrder(outagesJoined(examined.flatMap((one) => one.findings)));
      const verdict = driftVerdict(findings, asked.failOn);
      const sarif = await report(input, asked, { verdict, findings, examined });
      return answer(input, asked, verdict, findings, sarif);
    } finally {
      for (const { close } of examined) await close?.();
    }
  },
};

async function examineAll(input: FreeStepInput, asked: Asked): Promise<readonly Examined[]> {
  if (!asked.fleet) return [await examine(input, asked)];
  try {
    return await examineFleet(input, asked);
  } catch (error) {
    return [{ findings: asFindings(error) }];
  }
}

interface Told {
  readonly verdict: DriftVerdict;
  readonly findings: readonly Finding[];
  readonly examined: readonly Examined[];
}

/** Log, SARIF, issue; then, and only then, what was seen becomes what is known. The path of the SARIF file. */
async function report(input: FreeStepInput, asked: Asked, told: Told): Promise<string | undefined> {
  const { settings, log, tools, out, workspace } = input;
  const { findings, examined } = told;
  for (const one of findings) log.finding(one);
  const path = join(out, 'drift.sarif');
  const wantsSarif = settings.reportTo.includes('sarif');
  if (wantsSarif) {
    const otherwise = asked.fleet ? (settings.fleet ?? settings.config) : settings.config;
    writeFileSync(path, sarifLog({ findings, version: tools.version, otherwise }));
  }
  const mayWrite = !settings.dryRun && !asked.untrusted;
  if (settings.reportTo.includes('issue')) {
    if (mayWrite) await tellIssue(input, asked, told);
    else log.info('No issue is written by a dry run or a pull request.');
  }
  if (mayWrite) {
    for (const { project } of examined) if (project !== undefined) await remember(input, project);
  }
  return wantsSarif ? relative(workspace, path) : undefined;
}

async function tellIssue(input: FreeStepInput, asked: Asked, told: Told): Promise<void> {
  const { tools, log, event, now } = input;
  const { findings, verdict, examined } = told;
  const plan = await upsertIssue(await tools.forge(), {
    recipe: asked.fleet ? 'the fleet' : (examined[0]?.project?.recipe ?? tools.recipeName),
    findings,
    failing: verdict.failing,
    incomplete: verdict.verdict === 'error',
    url: event.run.url,
    now: now().getTime(),
  });
  log.info(issueLine(plan));
}

function issueLine(plan: IssuePlan): string {
  if (plan.do === 'open') return 'A new issue tells it.';
  if (plan.do === 'update') return `Issue #${plan.number} is rewritten.`;
  if (plan.do === 'close') return `Issue #${plan.number} is closed: nothing is left.`;
  return {
    clean: 'No issue: there is nothing to tell.',
    unchanged: 'The issue says this already.',
    throttled: 'The issue was rewritten less than four hours ago, and what fails is the same.',
    incomplete: 'The issue stays as it is: not everything could be looked up.',
  }[plan.why];
}

/** A ledger that only this step cannot write to costs memory, nothing else. */
async function remember(
  { log, now }: FreeStepInput,
  { ledger, view, recipe, releases }: Project,
): Promise<void> {
  if (ledger === undefined || view === undefined) return;
  const tags = releases.releases.map(({ tag }) => tag);
  try {
    const before = view.baseline();
    const next = nextBaseline(readBaseline(before), tags, now().getTime());
    if (JSON.stringify(before) === JSON.stringify(next)) return;
    await ledger.writeBaseline(recipe, next);
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
    log.info(`What was seen for the first time is not remembered: ${error.message}`);
  }
}

function answer(
  { log }: FreeStepInput,
  asked: Asked,
  { verdict, outcome, reasons, behind }: DriftVerdict,
  findings: readonly Finding[],
  sarif: string | undefined,
): StepResult {
  for (const line of [`BEHIND=${behind}`, `FINDINGS=${findings.length}`, `VERDICT=${verdict}`])
    log.info(line);
  return {
    outcome,
    reasons,
    outputs: { 'drift-verdict': verdict, 'drift-findings': JSON.stringify(findings), sarif },
    summary: driftSummary({ verdict, findings, checks: asked.checks }),
  };
}
