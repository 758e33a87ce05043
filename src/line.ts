import { existsSync, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileInside } from './dossier/file-inside.ts';
import { addOutputs } from './dossier/outputs-file.ts';
import type { Candidate, Dossier, RunContext, SectionName } from './dossier/schema.ts';
import { readDossier, writeDossier } from './dossier/store.ts';
import { OUT_FOLDER, openOutFolder } from './dossier/workspace.ts';
import { writeWhole } from './dossier/write-whole.ts';
import type { Environment } from './hosts/detect.ts';
import type { Host, Log, StepReport } from './hosts/host.ts';
import { Failure, type Finding, finding } from './outcome.ts';
import { asFailure } from './report/fatal.ts';
import { stepReport } from './report/step-report.ts';
import { runContextOf } from './rules/run-context.ts';
import { legText } from './rules/sweep/leg-result.ts';
import type { LineEnd } from './rules/sweep/result.ts';
import type { FleetLeg, LegInput } from './settings/fleet-leg.ts';
import { stepsOf } from './settings/lines.ts';
import type { Settings, StepName } from './settings/schema.ts';
import type { CandidateStep, FreeStepInput, Step, StepResult } from './steps/step.ts';
import { legOf, ofFleet } from './tools/fleet.ts';
import { createTools, type OwnedTools, removeLeftovers } from './tools.ts';

/** Everything a run depends on, read once by the entry. */
export interface LineInput {
  readonly host: Host;
  readonly settings: Settings;
  readonly env: Environment;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** A line within a sweep: its outputs are not the job's. */
  readonly inner?: boolean;
}

const steps: Readonly<Partial<Record<StepName, () => Promise<{ step: Step }>>>> = {
  label: () => import('./steps/label.ts'),
  'build-push': () => import('./steps/build-push.ts'),
  attest: () => import('./steps/attest.ts'),
  verify: () => import('./steps/verify.ts'),
  'step-back': () => import('./steps/step-back.ts'),
  test: () => import('./steps/test.ts'),
  promote: () => import('./steps/promote.ts'),
  rollback: () => import('./steps/rollback.ts'),
  hold: () => import('./steps/hold.ts'),
  testme: () => import('./steps/testme.ts'),
  drift: () => import('./steps/drift.ts'),
  report: () => import('./steps/report.ts'),
  sweep: () => import('./steps/sweep.ts'),
};

/** Which step writes a section, for the message of `dossier-incomplete`. */
const writers: Readonly<Record<SectionName, StepName>> = {
  label: 'label',
  image: 'build-push',
  attestations: 'attest',
  upgradeBase: 'step-back',
  test: 'test',
  promotion: 'promote',
};

const sectionOf: Readonly<Partial<Record<StepName, SectionName>>> = Object.fromEntries(
  Object.entries(writers).map(([section, step]) => [step, section]),
);

/** Steps that look at the fleet itself, not at one recipe of it. */
const fleetSteps: ReadonlySet<StepName> = new Set(['sweep', 'drift', 'testme', 'report']);

/**
 * Runs the named steps in order over one dossier. The first `refused` or `error` ends the line; every step that ran
 * has written its outputs. Answers how the last one ended.
 */
export async function runLine(given: LineInput): Promise<LineEnd> {
  const names = stepsOf(given.settings.step, given.host.settingName('step'));
  const whole = names.some((name) => fleetSteps.has(name));
  const fleet: Partial<LegInput> = await (whole ? ofFleet(given) : legOf(given));
  const input = { ...given, ...fleet };
  const tools = createTools({ ...input, release: (recipe, commit) => releaseOf(given, recipe, commit) });
  const run = new Run(input, tools);
  let end: LineEnd | undefined;
  try {
    for (const name of names) {
      end = await run.step(name);
      if (end.outcome === 'refused' || end.outcome === 'error') break;
    }
    if (end !== undefined && fleet.leg !== undefined && given.inner !== true) run.leaveResult(end, fleet.leg);
  } finally {
    await tools.close();
  }
  if (end === undefined) throw new Failure('step-missing');
  return end;
}

/** The line `release` over one recipe of the fleet, as a sweep runs it. */
async function releaseOf(given: LineInput, recipe: string, commit: string): Promise<LineEnd> {
  const settings: Settings = { ...given.settings, step: ['release'], recipe, candidate: commit };
  return runLine({ ...given, settings, inner: true });
}

/** GitHub's `post` run: removes what a killed step of this job left behind. */
export async function cleanUpAfterJob(host: Host, env: Environment): Promise<number> {
  await removeLeftovers(host, env);
  return 0;
}

/**
 * Leaves the outputs of a run that ended before its first step beside those of the steps before it, of which a later
 * step would else read the outcome. A person's mistyped command makes no folder.
 */
export function keepOutputs({ name, workspace, event }: Host, { step, outputs }: StepReport): void {
  if (name === 'terminal' && !existsSync(join(workspace, OUT_FOLDER))) return;
  addOutputs(join(openOutFolder(workspace, event.run.id, []), 'outputs.env'), step, outputs);
}

/** One process's pass over the steps: what they share, and what is written between them. */
class Run {
  private readonly input: LineInput;
  private readonly tools: OwnedTools;
  private readonly startedAt: Date;
  private readonly planned = new Set<StepName>();
  private out: string | undefined;
  private subject:
    | { candidate: Candidate; runContext: RunContext; path: string; dossier: Dossier }
    | undefined;

  constructor(input: LineInput, tools: OwnedTools) {
    this.input = input;
    this.tools = tools;
    this.startedAt = input.now();
  }

  async step(name: StepName): Promise<LineEnd> {
    const { host, signal } = this.input;
    host.log.group(`${name}`);
    let result: StepResult;
    const failures: Failure[] = [];
    try {
      signal.throwIfAborted();
      result = await this.runStep(name);
      signal.throwIfAborted();
    } catch (error) {
      const failure = asFailure(error);
      failures.push(failure);
      if (failure.code === 'internal-error' && error instanceof Error) host.log.detail(error.stack ?? '');
      result = { outcome: failure.outcome, reasons: [failure.code], outputs: {}, findings: failure.findings };
    }
    // What the step found stays in sight where a host folds the group away.
    host.log.endGroup();
    tellFacts(host.log, result.facts ?? []);
    // A failure that names one place is told once, with it; the sentence and the finding would say the same twice.
    const placed = failures.flatMap(({ code, findings: [only, ...others] }) =>
      only?.code === code && only.level === 'error' && others.length === 0 ? only : [],
    );
    for (const item of result.findings ?? []) if (!placed.includes(item)) host.log.finding(item);
    for (const { code, message, remedy } of failures) {
      const at = placed.find((item) => item.code === code)?.at;
      host.log.finding(
        at === undefined
          ? finding(code, 'error', message, { remedy })
          : finding(code, 'error', withoutPlace(message, at), { remedy, at }),
      );
    }
    if (this.input.inner !== true) await this.publish(name, result, failures);
    host.log.info(`knowngood: ${name} ${result.outcome} ${result.reasons[0] ?? '-'}`);
    const [failed] = failures;
    return {
      step: name,
      outcome: result.outcome,
      reasons: result.reasons,
      ...(failed === undefined ? {} : { message: host.log.redact(failed.message) }),
      ...factsIn(name, this.subject?.dossier),
    };
  }

  /** Leaves what this run of one recipe of a fleet came to, for the sweep that collects it. */
  leaveResult(end: LineEnd, { entry }: FleetLeg): void {
    if (this.out === undefined) return;
    const { host, now } = this.input;
    const folder = join(this.out, entry.recipe);
    mkdirSync(folder, { recursive: true });
    writeWhole(
      join(folder, 'result.json'),
      legText({
        recipe: entry.recipe,
        candidate: this.subject?.candidate,
        end,
        startedAt: this.startedAt,
        finishedAt: now(),
        run: host.event.run.id,
      }),
    );
  }

  private async runStep(name: StepName): Promise<StepResult> {
    const load = steps[name];
    if (load === undefined) throw new Failure('step-unavailable', `The step \`${name}\` is not built yet.`);
    const { step } = await load();
    const { host, settings, now, signal } = this.input;
    const given: Omit<FreeStepInput, 'out'> = {
      settings,
      now,
      signal,
      tools: this.tools,
      event: host.event,
      host: host.name,
      log: host.log,
      workspace: host.workspace,
    };
    try {
      this.out ??= openOutFolder(
        host.workspace,
        host.event.run.id,
        await this.tools.trackedIn('knowngood-out'),
      );
    } catch (error) {
      if (!(error instanceof Failure) || step.about !== 'project' || step.withoutOut === undefined)
        throw error;
      return cancellable(step.withoutOut(given, error), signal);
    }
    const free: FreeStepInput = { ...given, out: this.out };
    if (step.about === 'project') return cancellable(step.run(free), signal);
    const subject = await this.openSubject(step, this.out);
    const { candidate, runContext, dossier } = subject;
    const result =
      this.missing(step, dossier, candidate) ??
      (await cancellable(
        step.run({ ...free, out: join(this.out, candidate.recipe), candidate, runContext, dossier }),
        signal,
      ));
    if (result.section !== undefined) {
      subject.dossier = withSection(dossier, result.section);
      writeDossier(subject.path, subject.dossier);
    } else if (settings.dryRun) this.planned.add(name);
    return result;
  }

  /** The candidate, and the dossier so far: the one on disk if it is of this very candidate, else a new one. */
  private async openSubject(step: CandidateStep, out: string): Promise<NonNullable<Run['subject']>> {
    if (this.subject !== undefined) return this.subject;
    const { host, settings } = this.input;
    const candidate = await this.tools.candidate();
    const runContext = runContextOf({
      asked: settings.runContext,
      event: host.event.kind,
      isRelease: candidate.tag !== undefined,
      candidateGiven: settings.candidate !== undefined || settings.pullRequest !== undefined,
    });
    const path =
      settings.dossier === undefined
        ? join(out, candidate.recipe, 'dossier.json')
        : fileInside(host.workspace, settings.dossier, host.settingName('dossier'));
    const found = readDossier(path);
    const changed = found === undefined ? undefined : changeOf(found.candidate, candidate);
    // A CI has one candidate a run. A person at a terminal goes on to the next commit, and begins anew with `label`.
    const anew = host.name === 'terminal' && step.needs(candidate).length === 0;
    if (changed !== undefined && !anew) throw new Failure('candidate-changed', changed);
    const earlier = changed === undefined ? found : undefined;
    const dossier: Dossier = earlier ?? {
      schema: 'knowngood/dossier/v1',
      run: {
        id: host.event.run.id,
        ...(host.event.run.url === undefined ? {} : { url: host.event.run.url }),
        event: host.event.name,
        context: runContext,
      },
      candidate,
    };
    writeDossier(path, dossier);
    this.subject = { candidate, runContext, path, dossier };
    return this.subject;
  }

  /** What a step answers instead of running, where a section that it needs is absent or was skipped. */
  private missing(step: CandidateStep, dossier: Dossier, candidate: Candidate): StepResult | undefined {
    for (const name of step.needs(candidate)) {
      const section = dossier[name];
      if (section === undefined) {
        if (step.finds?.with(this.input.settings)) continue;
        // The step before it was planned only: of what would come after that nothing can be said.
        if (this.planned.has(writers[name])) return { outcome: 'skipped', reasons: ['dry-run'], outputs: {} };
        const hint = step.finds === undefined ? '' : ` ${step.finds.hint}`;
        throw new Failure('dossier-incomplete', `\`${step.name}\` needs what \`${writers[name]}\` finds.`, {
          remedy: `Run the step \`${writers[name]}\` first, in the same workspace.${hint}`,
        });
      }
      if ('outcome' in section && section.outcome === 'skipped') {
        const skipped = { outcome: 'skipped', reasons: section.reasons } as const;
        const own = sectionOf[step.name];
        return { ...skipped, outputs: {}, ...(own === undefined ? {} : { section: { [own]: skipped } }) };
      }
    }
    return undefined;
  }

  private async publish(name: StepName, result: StepResult, failures: readonly Failure[]): Promise<void> {
    const { host } = this.input;
    const dossier = this.subject === undefined ? undefined : relative(host.workspace, this.subject.path);
    const report = stepReport(name, result, failures, dossier);
    if (this.out !== undefined) addOutputs(join(this.out, 'outputs.env'), name, report.outputs);
    await host.publish(report);
  }
}

/** What each section is made from: writing one drops those that were made from its predecessor. */
const madeFrom: Readonly<Record<SectionName, readonly SectionName[]>> = {
  label: [],
  image: ['label'],
  attestations: ['image'],
  upgradeBase: [],
  test: ['image', 'upgradeBase'],
  promotion: ['test', 'attestations'],
};

function withSection(dossier: Dossier, section: NonNullable<StepResult['section']>): Dossier {
  const stale = new Set<string>(Object.keys(section));
  for (const [name, sources] of Object.entries(madeFrom))
    if (sources.some((source) => stale.has(source))) stale.add(name);
  const kept = Object.entries(dossier).filter(([name]) => !stale.has(name));
  return { ...(Object.fromEntries(kept) as unknown as Dossier), ...section };
}

/** What the dossier knows of how the line ended; sections of later steps may be an earlier run's. */
function factsIn(
  step: StepName,
  dossier: Dossier | undefined,
): Pick<LineEnd, 'base' | 'gate' | 'eligibleAt'> {
  const { test, upgradeBase, promotion } = dossier ?? {};
  if (step !== 'test' && step !== 'promote') return {};
  const base = (test !== undefined && 'base' in test ? test.base : undefined) ?? upgradeBase?.base;
  const promoting = step === 'promote' ? promotion : undefined;
  const gate = promoting?.gate?.filter(({ verdict }) => verdict !== 'pass' && verdict !== 'n/a');
  return {
    ...(base === undefined ? {} : { base: base.version }),
    ...(gate === undefined ? {} : { gate: gate.map(({ code }) => code) }),
    ...(promoting?.eligibleAt === undefined ? {} : { eligibleAt: promoting.eligibleAt }),
  };
}

/** What differs between the candidate that earlier steps looked at and this one, in words; nothing if none. */
function changeOf(before: Candidate, now: Candidate): string | undefined {
  const part = (['recipe', 'commit', 'checkout', 'tree'] as const).find((name) => before[name] !== now[name]);
  if (part === undefined) return undefined;
  return `The ${part} was ${before[part]} for the earlier steps and is ${now[part]} now.`;
}

/** The message without the place that it begins with, which the log shows beside it. */
function withoutPlace(message: string, { file, line, column }: NonNullable<Finding['at']>): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return message.startsWith(`${place}: `) ? message.slice(place.length + 2) : message;
}

/** What the step found, one line each, in two columns. */
function tellFacts(log: Log, facts: NonNullable<StepResult['facts']>): void {
  const width = Math.max(0, ...facts.map(([label]) => label.length));
  for (const [label, value] of facts) log.info(`  ${label.padEnd(width)}  ${value}`);
}

/** Waits for a step; after a cancellation only as long as it needs to clean up. */
async function cancellable<T>(running: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const cancelled = new Promise<never>((_, reject) => {
    stop = () => setTimeout(() => reject(signal.reason), CLEAN_UP_MS).unref();
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([running, cancelled]);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}

const CLEAN_UP_MS = 4000;
