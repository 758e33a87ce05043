import { Failure, type Finding, finding } from '../outcome.ts';
import { type CommandEnd, commandEnv, insideUrl, runCommand, type Scene } from './command.ts';
import type { ServiceState } from './containers.ts';
import { crashIn } from './crash.ts';
import { deadline, pause, within } from './deadline.ts';
import type { Deployment } from './deploy/deployment.ts';
import { effectOf, type Snapshot, snapshotOf } from './effect.ts';
import type { BrokenBase, Phase, TestRun, TierEnd, Trouble } from './outcome-of-run.ts';
import type { Command, Release, TierPlan } from './plan.ts';
import { canJudge, type Readiness, waitReady } from './ready.ts';
import type { Site } from './site.ts';

/** A release to upgrade from; its tree is laid out only when its turn comes. */
export interface BaseOption {
  readonly version: string;
  readonly tag?: string;
  readonly commit: string;
  release(): Promise<Release>;
}

export interface TierInput {
  readonly site: Site;
  readonly candidate: Release;
  /** The chosen base, then the next older ones. */
  readonly bases: readonly BaseOption[];
  deploy(scope: string): Deployment;
  readonly cancel: AbortSignal;
  readonly now: () => Date;
  onPhase(phase: Phase): void;
}

/** Older bases that are tried after the chosen one. */
export const OLDER_BASES = 2;
/** Without a check nothing looks at the subject once it is ready: it has to stay up for this long. */
const SETTLE_MS = 500;

/** A base that cannot be brought up for one of these reasons is broken; any other reason is not the base's. */
const BASE_FAULTS = new Set(['image-missing', 'compose-invalid', 'path-outside']);

type Findings = Map<string, Finding>;

/** What an upgrade came from. */
interface From {
  readonly before: Snapshot;
  readonly fingerprint: string;
}

/** Runs the tiers in order. A tier that fails ends the run: what it leaves unanswered cannot make it green. */
export async function runTiers(input: TierInput): Promise<Omit<TestRun, 'startedAt' | 'finishedAt' | 'run'>> {
  const { site, cancel, now } = input;
  const { plan } = site;
  const run = deadline(cancel, plan.timeoutMs, 'The run', () => performance.now());
  const state = new RunState(input);
  const tiers: TierEnd[] = [];
  try {
    for (const tier of plan.tiers) {
      const startedAt = now();
      const began = performance.now();
      const end = (rest: Pick<TierEnd, 'verdict' | 'reason' | 'detail'>): void => {
        tiers.push({
          name: tier.name,
          startedAt,
          durationMs: Math.round(performance.now() - began),
          ...rest,
        });
      };
      if (tier.na !== undefined) {
        end({
          verdict: 'na',
          reason: tier.na.reason as never,
          ...(tier.na.detail === undefined ? {} : { detail: tier.na.detail }),
        });
        continue;
      }
      if (tiers.some(({ verdict }) => verdict === 'fail' || verdict === 'inconclusive')) {
        end({ verdict: 'inconclusive', reason: 'tier-not-run' });
        continue;
      }
      const own = deadline(run.signal, plan.tierTimeoutMs, `The tier \`${tier.name}\``, () =>
        performance.now(),
      );
      try {
        await state.tier(tier, own.signal);
        end({ verdict: 'pass' });
      } catch (cause) {
        if (cancel.aborted) throw cancel.reason;
        if (!(cause instanceof Failure)) throw cause;
        end({
          verdict: cause.outcome === 'refused' ? 'fail' : 'inconclusive',
          reason: cause.code,
          detail: cause.message,
        });
      } finally {
        own.clear();
      }
    }
  } finally {
    run.clear();
  }
  const { phases, troubles, findings, base, broken, effect, ran } = state;
  return {
    tiers,
    phases,
    troubles,
    findings: [...findings.values()],
    broken,
    ran,
    ...(base === undefined ? {} : { base }),
    ...(effect === undefined ? {} : { effect }),
  };
}

/** What the tiers share: the installation that is up, and what was found so far. */
class RunState {
  private readonly input: TierInput;
  private live: { deployment: Deployment; states: readonly ServiceState[] } | undefined;
  readonly phases: Phase[] = [];
  readonly troubles: Trouble[] = [];
  readonly findings: Findings = new Map();
  readonly broken: BrokenBase[] = [];
  ran: TestRun['ran'] = {};
  base: number | undefined;
  effect: boolean | undefined;

  constructor(input: TierInput) {
    this.input = input;
  }

  async tier(tier: TierPlan, signal: AbortSignal): Promise<void> {
    if (tier.name === 'install') return this.install(signal);
    if (tier.name === 'upgrade') return this.upgrade(signal);
    return this.own(tier, signal);
  }

  private async install(signal: AbortSignal): Promise<void> {
    await this.end(signal);
    const deployment = this.input.deploy('install');
    await this.bringUp(deployment, this.input.candidate, 'install', signal);
  }

  private async upgrade(signal: AbortSignal): Promise<void> {
    await this.end(signal);
    const bases = this.input.bases.slice(0, 1 + OLDER_BASES);
    if (bases.length === 0)
      throw new Failure('dossier-incomplete', 'There is no base to upgrade from, and no reason why not.');
    for (const [index, option] of bases.entries()) {
      const { candidate } = this.input;
      if (option.commit === candidate.commit) throw new Failure('same-version-upgrade');
      const deployment = this.input.deploy(index === 0 ? 'upgrade' : `upgrade-${index + 1}`);
      let base: Release;
      let before: Snapshot;
      try {
        base = await option.release();
        before = snapshotOf(await this.start(deployment, base, 'upgrade', signal));
      } catch (cause) {
        if (!isBaseFault(cause, signal)) throw cause;
        this.markBroken(option, cause);
        await this.end(signal, deployment);
        continue;
      }
      this.base = index;
      await this.seed(deployment, base, signal);
      if (!deployment.inPlace)
        await this.phase('upgrade', `stop ${versionOf(base)}`, () => within(signal, deployment.halt(signal)));
      await this.bringUp(deployment, candidate, 'upgrade', signal, {
        before,
        fingerprint: deployment.fingerprint(),
      });
      return;
    }
    const names = this.broken.map(({ version }) => version).join(', ');
    throw new Failure('base-broken', `No base could be started: ${names}.`);
  }

  private async own(tier: TierPlan, signal: AbortSignal): Promise<void> {
    if (this.live === undefined)
      await this.bringUp(this.input.deploy(`own-${tier.name}`), this.input.candidate, tier.name, signal);
    const { deployment, states } = this.live ?? { deployment: this.input.deploy('none'), states: [] };
    const scene = this.scene(deployment, this.input.candidate, states, tier.name);
    await this.phase(tier.name, tier.name, () =>
      this.commands(scene, tier.commands ?? [], 'check-failed', signal),
    );
  }

  /** The candidate: started, ready, checked, and still there afterwards. */
  private async bringUp(
    deployment: Deployment,
    release: Release,
    tier: string,
    signal: AbortSignal,
    from?: From,
  ): Promise<void> {
    const { site } = this.input;
    const states = await this.start(deployment, release, tier, signal);
    const scene = this.scene(deployment, release, states, tier);
    if (from !== undefined) await this.proveEffect(deployment, scene, from, signal);
    if (site.plan.check.length > 0) {
      await this.phase(tier, 'check', () => this.commands(scene, site.plan.check, 'check-failed', signal));
    } else {
      await pause(SETTLE_MS, signal);
      await this.stillUp(scene, signal);
    }
    this.ran = Object.fromEntries(
      states.map(({ service, imageId, reference }) => [service, { imageId, reference }]),
    );
    this.live = { deployment, states };
  }

  /** Brings a release up and waits until it is ready. */
  private async start(
    deployment: Deployment,
    release: Release,
    tier: string,
    signal: AbortSignal,
  ): Promise<readonly ServiceState[]> {
    const { site } = this.input;
    const scene = this.scene(deployment, release, [], tier);
    await this.phase(tier, `start ${versionOf(release)}`, async () => {
      try {
        await within(signal, deployment.up(release, signal));
      } catch (cause) {
        if (cause instanceof Failure && !signal.aborted)
          await this.note(scene, cause, await this.suspect(deployment, signal));
        throw cause;
      }
    });
    return this.phase(tier, `ready ${versionOf(release)}`, async () => {
      const first = await within(signal, deployment.services(signal));
      if (release.role === 'candidate' && !canJudge(site.plan, first)) throw new Failure('nothing-to-check');
      this.noteAnonymous(first);
      const env = commandEnv(site, scene, insideUrl(site));
      const readiness = await within(signal, waitReady(site, deployment, env, signal));
      if (readiness.kind === 'ready') return readiness.states;
      throw await this.notUp(scene, readiness, signal);
    });
  }

  /** The container that a failed start is about: the one that ended, else the target's. */
  private async suspect(deployment: Deployment, signal: AbortSignal): Promise<ServiceState | undefined> {
    const { service } = this.input.site.plan.target;
    const states = await within(signal, deployment.services(signal)).catch(() => []);
    return crashIn(states, service, new Map())?.state ?? states.find((state) => state.service === service);
  }

  private async notUp(
    scene: Scene,
    readiness: Exclude<Readiness, { kind: 'ready' }>,
    signal: AbortSignal,
  ): Promise<Failure> {
    if (readiness.kind === 'crashed') {
      const { state, why } = readiness.crash;
      return this.note(scene, new Failure('crashed', why), state);
    }
    const { plan } = this.input.site;
    const seconds = Math.round((plan.ready?.timeoutMs ?? 120_000) / 100) / 10;
    const state =
      readiness.state ??
      (await scene.deployment.services(signal)).find(({ service }) => service === plan.target.service);
    return this.note(
      scene,
      new Failure(
        'not-ready',
        `\`${plan.target.service}\` was not ready within ${seconds} s: ${readiness.seen}.`,
      ),
      state,
    );
  }

  /** Puts data into the base. What fails here is the base's, never the candidate's. */
  private async seed(deployment: Deployment, base: Release, signal: AbortSignal): Promise<void> {
    const { beforeUpgrade } = this.input.site.plan;
    if (beforeUpgrade.length === 0) return;
    const states = await deployment.services(signal);
    await this.phase('upgrade', 'before-upgrade', () =>
      this.commands(this.scene(deployment, base, states, 'upgrade'), beforeUpgrade, 'base-failed', signal),
    );
  }

  private async proveEffect(
    deployment: Deployment,
    scene: Scene,
    from: From,
    signal: AbortSignal,
  ): Promise<void> {
    const rolledBack = await within(signal, deployment.rolledBack(signal));
    const effect =
      rolledBack === undefined
        ? effectOf({
            before: from.before,
            after: snapshotOf(scene.states),
            wanted: await deployment.wanted(signal),
            own: deployment.own(),
            treeMoved: deployment.fingerprint() !== from.fingerprint,
          })
        : { ok: false as const, why: `\`${rolledBack.service}\` was rolled back: ${rolledBack.why}` };
    this.effect = effect.ok;
    if (!effect.ok) throw await this.note(scene, new Failure('upgrade-no-effect', effect.why), undefined);
  }

  private async commands(
    scene: Scene,
    commands: readonly Command[],
    code: 'check-failed' | 'base-failed',
    signal: AbortSignal,
  ): Promise<void> {
    const { site } = this.input;
    for (const command of commands) {
      const end = await within(signal, runCommand(site, command, scene, signal));
      // A container that died is the reason, whatever the check says about it.
      await this.stillUp(scene, signal, code === 'base-failed' ? code : 'crashed');
      if (!end.ok) throw await this.failedCommand(scene, end, code);
    }
  }

  private async stillUp(
    scene: Scene,
    signal: AbortSignal,
    code: 'crashed' | 'base-failed' = 'crashed',
  ): Promise<void> {
    const { site } = this.input;
    const seen = new Map(scene.states.map(({ id, startedAt }) => [id, startedAt]));
    const states = await within(signal, scene.deployment.services(signal));
    const crash = crashIn(states, site.plan.target.service, seen);
    if (crash !== undefined) throw await this.note(scene, new Failure(code, crash.why), crash.state);
    const gone = scene.states.find(
      ({ id, status }) => status === 'running' && !states.some((state) => state.id === id),
    );
    if (gone !== undefined)
      throw await this.note(
        scene,
        new Failure(code, `The container of \`${gone.service}\` is gone.`),
        undefined,
      );
  }

  private async failedCommand(
    scene: Scene,
    end: CommandEnd,
    code: 'check-failed' | 'base-failed',
  ): Promise<Failure> {
    const failure = new Failure(code, `${end.what}: ${end.why}.`);
    if (end.lines.length > 0) {
      this.trouble(scene, failure, end.what, end.lines);
      return failure;
    }
    const { service } = this.input.site.plan.target;
    return this.note(
      scene,
      failure,
      scene.states.find((state) => state.service === service),
    );
  }

  /** Keeps what a person needs to see of a failure: the last lines of the container that it is about. */
  private async note(scene: Scene, failure: Failure, state: ServiceState | undefined): Promise<Failure> {
    const { site } = this.input;
    let lines: string[] = [];
    if (state !== undefined) {
      if (state.status === 'exited') site.logs.ended(state.id, state.exitCode);
      lines = await site.logs.lastLines(site.docker, state.id).catch(() => []);
    }
    this.trouble(scene, failure, state?.service, lines);
    return failure;
  }

  private trouble(scene: Scene, failure: Failure, of: string | undefined, lines: readonly string[]): void {
    this.troubles.push({
      tier: scene.tier,
      phase: scene.phase,
      role: scene.release.role,
      code: failure.code,
      detail: failure.message,
      lines,
      ...(of === undefined ? {} : { of }),
    });
  }

  private noteAnonymous(states: readonly ServiceState[]): void {
    for (const { service, anonymous } of states) {
      for (const path of anonymous) {
        this.findings.set(
          `${service} ${path}`,
          finding(
            'anonymous-volume',
            'warning',
            `\`${service}\` keeps \`${path}\` in a volume without a name: an upgrade loses what is in it.`,
            {
              remedy: `Mount a named volume at \`${path}\`.`,
            },
          ),
        );
      }
    }
  }

  private markBroken(option: BaseOption, cause: Failure): void {
    this.broken.push({
      version: option.version,
      why: cause.message,
      ...(option.tag === undefined ? {} : { tag: option.tag }),
    });
    this.input.site.say(`Base ${option.version} does not start: ${cause.message}`);
  }

  private scene(
    deployment: Deployment,
    release: Release,
    states: readonly ServiceState[],
    tier: string,
  ): Scene {
    return { deployment, release, states, tier, phase: `${tier}-${release.role}` };
  }

  private async phase<T>(tier: string, name: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const end = (ok: boolean, detail?: string): void => {
      const phase = {
        tier,
        name,
        ms: Math.round(performance.now() - began),
        ok,
        ...(detail === undefined ? {} : { detail }),
      };
      this.phases.push(phase);
      this.input.onPhase(phase);
    };
    try {
      const result = await work();
      end(true);
      return result;
    } catch (cause) {
      end(false, cause instanceof Failure ? cause.message : String(cause));
      throw cause;
    }
  }

  /** Takes the earlier installation down, so that the next tier finds free memory and ports. */
  private async end(signal: AbortSignal, deployment = this.live?.deployment): Promise<void> {
    this.live = undefined;
    if (deployment !== undefined) await within(signal, this.takeDown(deployment, signal));
  }

  private async takeDown(deployment: Deployment, signal: AbortSignal): Promise<void> {
    const { site } = this.input;
    try {
      for (const { id, exitCode, status } of await deployment.services(signal)) {
        if (status === 'exited') site.logs.ended(id, exitCode);
        await site.docker
          .getContainer(id)
          .remove({ force: true, v: true })
          .catch(() => undefined);
      }
      await deployment.down(signal);
    } catch (cause) {
      if (signal.aborted) throw cause;
      site.say(`${deployment.project} is taken down at the end of the run: ${(cause as Error).message}`);
    }
  }
}

function isBaseFault(cause: unknown, signal: AbortSignal): cause is Failure {
  return (
    cause instanceof Failure &&
    !signal.aborted &&
    (cause.outcome === 'refused' || BASE_FAULTS.has(cause.code))
  );
}

function versionOf(release: Release): string {
  return release.version ?? release.commit.slice(0, 12);
}
