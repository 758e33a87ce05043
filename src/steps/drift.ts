import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Failure, type Finding, finding } from '../outcome.ts';
import { type ReasonCode, reasons } from '../reasons.ts';
import { driftSummary, inOrder } from '../report/drift.ts';
import { sarifLog } from '../report/sarif.ts';
import { nextBaseline, readBaseline } from '../rules/drift/baseline.ts';
import {
  type CheckName,
  checkNames,
  contradictions,
  driftCodes,
  isCheckName,
} from '../rules/drift/checks.ts';
import { type DriftVerdict, driftVerdict } from '../rules/drift/verdict.ts';
import { checks } from './drift/checks.ts';
import { upsertIssue } from './drift/issue.ts';
import { Look } from './drift/look.ts';
import { type Project, readProject } from './drift/project.ts';
import type { FreeStep, FreeStepInput, StepResult } from './step.ts';

/** How long one recipe's look-ups may take; what is open then is an error, never clean. */
const BUDGET_MS = 60_000;

const sinks = ['summary', 'issue', 'sarif'];

/** What somebody asked for; checked before anything is looked up. */
interface Asked {
  readonly checks: readonly CheckName[];
  readonly failOn: readonly ReasonCode[];
  readonly untrusted: boolean;
}

/** Compares everything that should agree. Reads and reports; changes nothing but its own report and memory. */
export const step: FreeStep = {
  name: 'drift',
  about: 'project',
  async run(input) {
    const asked = wishes(input);
    const told: { project?: Project; findings: Finding[] } = { findings: [] };
    try {
      told.project = await readProject(input);
      told.findings.push(...(await look(input, asked, told.project)));
    } catch (error) {
      // Without repository or ledger nothing can be compared: an error, in the form of every other one.
      told.findings.push(...asFindings(error));
    }
    const findings = inOrder(told.findings);
    const verdict = driftVerdict(findings, asked.failOn);
    const sarif = await report(input, asked, { verdict, findings, project: told.project });
    return answer(input, asked, verdict, findings, sarif);
  },
};

function wishes({ settings, event, log }: FreeStepInput): Asked {
  const wrong = (setting: string, value: string, known: readonly string[]): Failure =>
    new Failure('setting-invalid', `\`${setting}\` names ${JSON.stringify(value)}, which is not one.`, {
      remedy: `Use ${known.join(', ')}.`,
    });
  for (const sink of settings.reportTo) if (!sinks.includes(sink)) throw wrong('report-to', sink, sinks);
  for (const code of settings.failOn) {
    if (!(driftCodes as readonly string[]).includes(code)) throw wrong('fail-on', code, driftCodes);
  }
  const named = settings.checks.map((name) => {
    if (!isCheckName(name)) throw wrong('checks', name, checkNames);
    return name;
  });
  const untrusted =
    event.pullRequest !== undefined || settings.pullRequest !== undefined || settings.candidate !== undefined;
  if (named.length === 0 && untrusted) {
    log.info(
      'A pull request can change what the tree says, and nothing else: `version` and `pins` are checked.',
    );
  }
  // What runs on the engine of a CI job is the job itself: only who asks for it is told.
  const usual: readonly CheckName[] = untrusted
    ? ['version', 'pins']
    : checkNames.filter((name) => name !== 'running');
  return {
    checks: named.length > 0 ? checkNames.filter((name) => named.includes(name)) : usual,
    failOn: settings.given.has('fail-on') ? (settings.failOn as readonly ReasonCode[]) : contradictions,
    untrusted,
  };
}

async function look(input: FreeStepInput, asked: Asked, project: Project): Promise<readonly Finding[]> {
  const { tools, settings, log, now, signal } = input;
  const budget = new Look(tools.clock, BUDGET_MS, signal);
  const checking = { tools, settings, log, now, signal, project, look: budget, untrusted: asked.untrusted };
  try {
    // All at once: they share connections and answers.
    const found = await Promise.all(
      asked.checks.map((name) => checks[name](checking).catch((error: unknown) => asFindings(error))),
    );
    return [...project.findings, ...found.flat()];
  } finally {
    budget.end();
  }
}

/** What a check, or what all of them need, could not do: a finding that makes the verdict `error`. */
function asFindings(error: unknown): readonly Finding[] {
  if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
  const { code, message, remedy, findings } = error;
  if (findings.some((one) => one.code === code)) return findings;
  const told = reasons[code].class === 'failure' ? code : 'cannot-determine';
  return [...findings, finding(told, 'error', message, { remedy })];
}

interface Told {
  readonly verdict: DriftVerdict;
  readonly findings: readonly Finding[];
  readonly project: Project | undefined;
}

/** Log, issue, SARIF; then, and only then, what was seen becomes what is known. The path of the SARIF file. */
async function report(input: FreeStepInput, asked: Asked, told: Told): Promise<string | undefined> {
  const { settings, log, tools, out, workspace, event, now } = input;
  const { verdict, findings, project } = told;
  for (const one of findings) log.finding(one);
  const path = join(out, 'drift.sarif');
  const wantsSarif = settings.reportTo.includes('sarif');
  if (wantsSarif)
    writeFileSync(path, sarifLog({ findings, version: tools.version, otherwise: settings.config }));
  const mayWrite = !settings.dryRun && !asked.untrusted;
  if (settings.reportTo.includes('issue') && project !== undefined) {
    if (mayWrite) {
      const plan = await upsertIssue(await tools.forge(), {
        recipe: project.recipe,
        findings,
        failing: verdict.failing,
        incomplete: verdict.verdict === 'error',
        url: event.run.url,
        now: now().getTime(),
      });
      log.info(`issue: ${plan.do}${plan.do === 'nothing' ? ` (${plan.why})` : ''}`);
    } else log.info('issue: not written, by a dry run or a pull request.');
  }
  if (mayWrite && project !== undefined) await remember(input, project);
  return wantsSarif ? relative(workspace, path) : undefined;
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
  { verdict, outcome, reasons: why, behind }: DriftVerdict,
  findings: readonly Finding[],
  sarif: string | undefined,
): StepResult {
  for (const line of [`BEHIND=${behind}`, `FINDINGS=${findings.length}`, `VERDICT=${verdict}`])
    log.info(line);
  return {
    outcome,
    reasons: why,
    outputs: { 'drift-verdict': verdict, 'drift-findings': JSON.stringify(findings), sarif },
    summary: driftSummary({ verdict, findings, checks: asked.checks }),
    facts: [
      ['Drift', verdict],
      ['Findings', String(findings.length)],
      ['Behind', String(behind)],
    ],
  };
}
