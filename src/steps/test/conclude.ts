import { join, relative } from 'node:path';
import type { TestSection, TierResult, UpgradeBaseSection } from '../../dossier/schema.ts';
import type { TestRun } from '../../harness/outcome-of-run.ts';
import type { TestPlan } from '../../harness/plan.ts';
import type { BaseOption } from '../../harness/tiers.ts';
import { Failure, type Finding, finding } from '../../outcome.ts';
import {
  knownBrokenEntry,
  reproduction,
  testSummary,
  tierLines,
  troubleText,
  troubleTitle,
} from '../../report/test.ts';
import { outcomeOfVerdict, type Verdict, verdictOf } from '../../rules/verdict.ts';
import type { StepInput, StepResult } from '../step.ts';
import { ranSubject } from './images.ts';

/** A run that came to its end, whichever. */
export interface Ended {
  readonly plan: TestPlan;
  readonly bases: readonly BaseOption[];
  readonly base: UpgradeBaseSection;
  readonly run: TestRun;
}

/** Says what came of a run, and makes its section, its findings and its summary. */
export async function conclude(input: StepInput, ended: Ended): Promise<StepResult> {
  const { log, candidate, runContext, dossier, tools, workspace, settings } = input;
  const { run, plan } = ended;
  const tiers = run.tiers.map(
    ({ name, verdict, reason, detail, startedAt, durationMs }): TierResult => ({
      name,
      verdict,
      ...(reason === undefined ? {} : { reason }),
      ...(detail === undefined ? {} : { detail: log.redact(detail) }),
      startedAt: startedAt.toISOString(),
      durationMs,
    }),
  );
  const { verdict, reasons } = verdictOf(run.tiers, run.broken.length);
  const outcome = outcomeOfVerdict(verdict);
  const chosen = run.base === undefined ? undefined : ended.bases[run.base];
  const logs = relative(workspace, join(input.out, 'logs'));
  const version = candidate.version ?? candidate.commit.slice(0, 12);
  const findings: Finding[] = [...run.findings, ...brokenFindings(run), ...outcomeFinding(verdict, run)];

  for (const trouble of run.troubles) {
    log.info(troubleTitle(trouble));
    if (trouble.lines.length > 0) log.foreign(troubleText(trouble));
  }
  for (const line of tierLines(tiers)) log.info(line);
  // Where the run did not come as far as the upgrade, the base that it would have had.
  const from = chosen ?? ended.bases[0];
  const again = reproduction({
    commit: candidate.checkout,
    recipe: candidate.recipe,
    tiers: plan.tiers.map(({ name }) => name),
    context: settings.context,
    config: settings.config,
    ...(from?.tag === undefined ? {} : { baseTag: from.tag }),
  });
  if (verdict !== 'green') {
    if (run.broken.length > 0) for (const line of knownBrokenEntry(run.broken).split('\n')) log.info(line);
    log.info(`Logs: ${logs}`);
    log.info(`To run it again: ${again}`);
  }

  const section: TestSection = {
    outcome,
    reasons,
    verdict,
    tiers,
    ...(chosen === undefined
      ? {}
      : {
          base: {
            version: chosen.version,
            tag: chosen.tag ?? chosen.version,
            commit: chosen.commit,
            reason: run.base === 0 ? (ended.base.reasons[0] ?? '') : 'base-broken',
          },
        }),
    subject: await ranSubject(input, run),
    recipe: candidate.recipe,
    version,
    commit: candidate.commit,
    context: runContext,
    run: dossier.run.id,
    harness: tools.version,
    // Every installation starts on volumes of its own that were made a moment before.
    cold: true,
    commands: howCommandsRan(input, plan),
    effect: run.effect,
    startedAt: run.startedAt.toISOString(),
    finishedAt: run.finishedAt.toISOString(),
    logs,
    findings,
  };
  if (runContext === 'release') findings.push(...(await recordRun(input, section)));
  return {
    outcome,
    reasons,
    outputs: {
      verdict,
      tiers: JSON.stringify(Object.fromEntries(tiers.map(({ name, verdict: result }) => [name, result]))),
      logs,
    },
    section: { test: section },
    findings,
    summary: testSummary({
      tiers,
      run,
      candidate: version,
      reasons,
      logs,
      reproduce: again,
      ...(section.base === undefined ? {} : { base: section.base }),
    }),
    facts: [
      ['Verdict', verdict],
      ['Tiers', tiers.map(({ name, verdict: result }) => `${name} ${result}`).join(', ')],
      ...(section.base === undefined ? [] : ([['Base', section.base.version]] as const)),
    ],
  };
}

/** The line of the run log, in context `release` only. That it could not be written never changes a verdict. */
async function recordRun(
  { tools, candidate, settings, log }: StepInput,
  section: TestSection,
): Promise<Finding[]> {
  try {
    const ledger = await tools.ledger();
    if (ledger === undefined) return [];
    if (settings.ledgerInit) await ledger.init();
    await ledger.appendRun({
      recipe: candidate.recipe,
      version: section.version,
      commit: section.commit,
      subject: section.subject,
      verdict: section.verdict,
      reasons: [...section.reasons],
      tiers: Object.fromEntries(section.tiers.map(({ name, verdict }) => [name, verdict])),
      base: section.base?.version ?? null,
      run: section.run,
      startedAt: section.startedAt,
      finishedAt: section.finishedAt,
      harness: section.harness,
    });
    return [];
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code === 'cancelled') throw cause;
    log.detail(cause.message);
    return [
      finding(cause.code, 'warning', `The run was not noted in the ledger: ${cause.message}`, {
        remedy: cause.remedy,
      }),
    ];
  }
}

function howCommandsRan({ candidate, runContext }: StepInput, plan: TestPlan): TestSection['commands'] {
  const all = [...plan.beforeUpgrade, ...plan.check, ...plan.tiers.flatMap(({ commands }) => commands ?? [])];
  if (plan.deploy.kind !== 'commands' && !all.some(({ kind }) => kind === 'host')) return 'contained';
  return runContext === 'release' && candidate.dirty.length === 0 ? 'release-branch-host' : 'untrusted-host';
}

function brokenFindings({ broken }: TestRun): Finding[] {
  if (broken.length === 0) return [];
  return [
    finding('base-broken', 'warning', `${broken.map(({ version, why }) => `${version}: ${why}`).join(' ')}`, {
      remedy: `Declare it in knowngood.yml on the release branch if it is really broken.`,
      replacement: knownBrokenEntry(broken),
    }),
  ];
}

/** The reason as an annotation, where the answer is not green. */
function outcomeFinding(verdict: Verdict, run: TestRun): Finding[] {
  if (verdict === 'green') return [];
  // One that names its place in a file is said there.
  const placed = new Set(run.findings.filter(({ level }) => level === 'error').map(({ code }) => code));
  return run.tiers.flatMap(({ name, verdict: result, reason, detail }) =>
    (result === 'fail' || result === 'inconclusive') &&
    reason !== undefined &&
    reason !== 'tier-not-run' &&
    !placed.has(reason)
      ? [finding(reason, 'error', `${name}: ${detail ?? reason}`)]
      : [],
  );
}
