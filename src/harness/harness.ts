import { rmSync } from 'node:fs';
import type Docker from 'dockerode';
import { engineFailure } from '../engine/dockerode-failure.ts';
import type { EngineInfo } from '../engine/engine.ts';
import { type Finding, finding } from '../outcome.ts';
import { endRun, removeDeadRuns } from './clean-up.ts';
import { allowHost } from './command.ts';
import { writeDockerConfig } from './compose-config.ts';
import { deployment } from './deploy/choose.ts';
import { makeHome } from './home.ts';
import { openJournal } from './journal.ts';
import { type Masking, openLogBook } from './logs.ts';
import { runName } from './naming.ts';
import type { Phase, TestRun } from './outcome-of-run.ts';
import { thisOwner } from './owner.ts';
import type { Command, Release, TestPlan } from './plan.ts';
import { traces, whereabouts } from './reach.ts';
import type { Programs, Site } from './site.ts';
import { type BaseOption, runTiers } from './tiers.ts';

export interface HarnessInput {
  readonly plan: TestPlan;
  readonly candidate: Release;
  readonly bases: readonly BaseOption[];
  readonly docker: Docker;
  readonly engine: EngineInfo;
  /** Makes sure that the engine has an image. `image-missing` where no registry has it. */
  pull(reference: string, signal: AbortSignal): Promise<void>;
  /** The recipe's folder in knowngood-out; exists. */
  readonly out: string;
  readonly masking: Masking;
  readonly programs: Omit<Programs, 'home'>;
  /** 8 to 16 random lower-case letters and digits. */
  readonly id: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  onPhase(phase: Phase): void;
  say(text: string): void;
}

/** Time for clean-up: long where nobody waits, short after a cancellation (the host kills us soon). */
const CLEAN_UP_MS = 60_000;
const CLEAN_UP_CANCELLED_MS = 3500;
/** Added to the run's deadline before another process may take it for dead. */
const DEAD_AFTER_S = 300;

/**
 * Installs, upgrades and checks the candidate on a real engine, and removes everything that it made, however it
 * ends. Rejects with `cancelled`, and with what keeps every tier from starting (`engine-unreachable`,
 * `credentials-in-test` …); all else is in the result's tiers.
 */
export async function runTest(input: HarnessInput): Promise<TestRun> {
  const { plan, docker, engine, now } = input;
  const startedAt = now();
  const where = await whereabouts(docker, engine, traces()).catch((cause: unknown) => {
    throw engineFailure(cause, 'looking where this step runs', input.signal);
  });
  const owner = thisOwner(where.kind === 'container' ? where.id : undefined);
  const until = Math.ceil(startedAt.getTime() / 1000 + plan.timeoutMs / 1000 + DEAD_AFTER_S);
  const name = runName(input.id, plan.recipe, until, owner);
  const findings: Finding[] = [];
  await removeStale(input, findings);

  const journal = openJournal(input.out, input.id, owner);
  const home = makeHome(input.id);
  writeDockerConfig(home, input.programs.pluginFolders);
  const logs = openLogBook(input.out, input.masking, now);
  const site: Site = {
    docker,
    engine,
    where,
    name,
    journal,
    logs,
    plan,
    now,
    pull: input.pull,
    say: input.say,
    programs: { ...input.programs, home },
  };
  let failed = true;
  try {
    if (commandsOf(plan).some(({ kind }) => kind === 'host') || plan.deploy.kind === 'commands')
      allowHost(site);
    const result = await runTiers({
      site,
      candidate: input.candidate,
      bases: input.bases,
      deploy: (scope) => deployment(site, scope),
      cancel: input.signal,
      onPhase: input.onPhase,
    });
    failed = result.tiers.some(({ verdict }) => verdict === 'fail' || verdict === 'inconclusive');
    await cleanUp(site, input, failed && plan.keep, findings);
    return {
      ...result,
      findings: [...result.findings, ...findings],
      startedAt,
      finishedAt: now(),
      run: input.id,
    };
  } catch (cause) {
    await cleanUp(site, input, false, findings);
    throw input.signal.aborted ? input.signal.reason : cause;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** What killed runs left on this engine goes first; that it fails is no reason not to test. */
async function removeStale(input: HarnessInput, findings: Finding[]): Promise<void> {
  try {
    const { runs, left } = await removeDeadRuns(input.docker, input.out, input.now(), CLEAN_UP_MS);
    if (runs.length > 0)
      input.say(
        `Removed what ${runs.length === 1 ? 'a killed run' : `${runs.length} killed runs`} had left behind.`,
      );
    findings.push(...left.map(leftBehind));
  } catch (cause) {
    throw engineFailure(cause, 'looking for what killed runs left', input.signal);
  }
}

async function cleanUp(site: Site, input: HarnessInput, keep: boolean, findings: Finding[]): Promise<void> {
  if (keep) {
    input.say(`Kept for looking at, until the next run: everything named kg-${site.name.id}-….`);
  } else {
    const cancelled = input.signal.aborted;
    const { left } = await endRun(
      site.docker,
      site.name.id,
      site.journal,
      cancelled,
      cancelled ? CLEAN_UP_CANCELLED_MS : CLEAN_UP_MS,
    );
    findings.push(...left.map(leftBehind));
  }
  await site.logs.close();
}

function leftBehind({ kind, name, why }: { kind: string; name: string; why: string }): Finding {
  return finding('left-behind', 'warning', `The ${kind} \`${name}\` could not be removed: ${why}`);
}

function commandsOf(plan: TestPlan): Command[] {
  return [...plan.beforeUpgrade, ...plan.check, ...plan.tiers.flatMap(({ commands }) => commands ?? [])];
}
