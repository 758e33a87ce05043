import { Failure } from '../outcome.ts';
import { type CommandEnd, commandEnv, insideUrl, runCommand, type Scene } from './command.ts';
import type { ServiceState } from './containers.ts';
import { crashIn } from './crash.ts';
import { pause, within } from './deadline.ts';
import type { Deployment } from './deploy/deployment.ts';
import { callFailure } from './deploy/start-failure.ts';
import { effectOf, type Snapshot, snapshotOf } from './effect.ts';
import type { Command, Release } from './plan.ts';
import { canJudge, followAll, READY_MS, type Readiness, waitReady } from './ready.ts';
import type { RunNotes } from './run-notes.ts';
import type { Site } from './site.ts';

/** Without a check nothing looks at the subject once it is ready: it has to stay up for this long. */
const SETTLE_MS = 500;

/** For looking at the subject once more when time is over: the engine may be what hangs. */
const LAST_LOOK_MS = 3000;

/** How often, and after which time, a subject is looked at again once a command has failed. */
const LATE_LOOKS = 10;
const LATE_LOOK_MS = 200;

/** What an upgrade came from. */
export interface From {
  readonly before: Snapshot;
  readonly fingerprint: string;
}

/** A release that is up and ready in an installation. */
export interface Up {
  readonly scene: Scene;
  readonly states: readonly ServiceState[];
}

/** What a person calls a release. */
export function versionOf(release: Release): string {
  return release.version ?? release.commit.slice(0, 12);
}

/**
 * One installation in one tier, from the first start to the last check. Everything that is wrong with the release is
 * a Failure of class `refusal` (`crashed`, `not-ready`, `check-failed`, `upgrade-no-effect`); what cannot be told is
 * one of class `failure`. Each is kept in the notes with the lines that a person needs.
 */
export class Installation {
  readonly deployment: Deployment;
  private readonly site: Site;
  private readonly notes: RunNotes;
  private readonly signal: AbortSignal;
  private readonly tier: string;

  constructor(site: Site, notes: RunNotes, deployment: Deployment, tier: string, signal: AbortSignal) {
    this.site = site;
    this.notes = notes;
    this.deployment = deployment;
    this.tier = tier;
    this.signal = signal;
  }

  /** Starts a release and waits until it is ready. */
  async start(release: Release): Promise<Up> {
    const { site, deployment, signal } = this;
    const scene = this.scene(release, []);
    await this.phase(scene, `start ${versionOf(release)}`, async () => {
      try {
        await within(signal, deployment.up(release, signal));
      } catch (cause) {
        if (cause instanceof Failure && !signal.aborted)
          await this.notes.trouble(scene, cause, await this.suspect(scene));
        throw cause;
      }
    });
    return this.phase(scene, `ready ${versionOf(release)}`, async () => {
      const first = await within(signal, deployment.services(signal));
      if (release.role === 'candidate' && !canJudge(site.plan, first)) throw new Failure('nothing-to-check');
      this.notes.anonymousVolumes(first);
      const env = commandEnv(site, scene, insideUrl(site));
      const readiness = await within(signal, waitReady(site, deployment, scene.phase, env, signal));
      if (readiness.kind !== 'ready') throw await this.notUp(scene, readiness);
      return { scene: this.scene(release, readiness.states), states: readiness.states };
    });
  }

  /** Puts data into the base. What fails here is the base's, never the candidate's. */
  async seed({ scene }: Up): Promise<void> {
    const { beforeUpgrade } = this.site.plan;
    if (beforeUpgrade.length === 0) return;
    await this.phase(scene, 'before-upgrade', () => this.run(scene, beforeUpgrade, 'base-failed'));
  }

  /** Stops the base, unless the orchestrator replaces it itself. */
  async stop(release: Release): Promise<void> {
    const { deployment, signal } = this;
    if (deployment.inPlace) return;
    await this.notes.phase(this.tier, `stop ${versionOf(release)}`, () =>
      within(signal, deployment.halt(signal)),
    );
  }

  /** The release does what it should, and is still there afterwards. */
  async check({ scene }: Up): Promise<void> {
    const { check } = this.site.plan;
    if (check.length > 0) {
      await this.phase(scene, 'check', () => this.run(scene, check, 'check-failed'));
    } else {
      await pause(SETTLE_MS, this.signal);
      await this.stillUp(scene, 'crashed');
    }
  }

  /** A recipe's own tier. */
  async own({ scene }: Up, commands: readonly Command[]): Promise<void> {
    const here = this.scene(scene.release, scene.states);
    await this.phase(here, this.tier, () => this.run(here, commands, 'check-failed'));
  }

  from({ states }: Up): From {
    return { before: snapshotOf(states), fingerprint: this.deployment.fingerprint() };
  }

  /** Fails with `upgrade-no-effect` where what runs now is not an upgrade from what ran before. */
  async proveEffect({ scene, states }: Up, from: From): Promise<void> {
    const { deployment, signal } = this;
    const effect = effectOf({
      before: from.before,
      after: snapshotOf(states),
      wanted: await within(signal, deployment.wanted(signal)),
      own: deployment.own(),
      treeMoved: deployment.fingerprint() !== from.fingerprint,
    });
    if (!effect.ok)
      throw await this.notes.trouble(scene, new Failure('upgrade-no-effect', effect.why), undefined);
  }

  /** A phase with its time; one that ran out of time shows what the subject said last. */
  private phase<T>(scene: Scene, name: string, work: () => Promise<T>): Promise<T> {
    return this.notes.phase(this.tier, name, async () => {
      try {
        return await work();
      } catch (thrown) {
        const cause = callFailure(thrown, name, this.signal);
        if (cause instanceof Failure && cause.code === 'deadline') await this.outOfTime(scene, cause);
        throw cause;
      }
    });
  }

  private async outOfTime(scene: Scene, failure: Failure): Promise<void> {
    const limit = AbortSignal.timeout(LAST_LOOK_MS);
    const states = await within(limit, this.deployment.services(limit)).catch(() => []);
    const { service } = this.site.plan.target;
    const target = states.find((state) => state.service === service);
    await within(limit, this.notes.trouble(scene, failure, target)).catch(() =>
      this.notes.trouble(scene, failure, undefined),
    );
  }

  private async notUp(scene: Scene, readiness: Exclude<Readiness, { kind: 'ready' }>): Promise<Failure> {
    const { plan } = this.site;
    switch (readiness.kind) {
      case 'crashed':
        return this.notes.trouble(scene, new Failure('crashed', readiness.crash.why), readiness.crash.state);
      case 'rolled-back': {
        const message = `\`${readiness.service}\` was rolled back: ${readiness.why}`;
        return this.notes.trouble(
          scene,
          new Failure('upgrade-no-effect', message),
          await this.suspect(scene),
        );
      }
      case 'not-ready': {
        const seconds = Math.round((plan.ready?.timeoutMs ?? READY_MS) / 100) / 10;
        const message = `\`${plan.target.service}\` was not ready within ${seconds} s: ${readiness.seen}.`;
        return this.notes.trouble(
          scene,
          new Failure('not-ready', message),
          readiness.state ?? (await this.suspect(scene)),
        );
      }
    }
  }

  /** The container that a failure is about: the one that ended, else the target's. */
  private async suspect(scene: Scene): Promise<ServiceState | undefined> {
    const { service } = this.site.plan.target;
    const states = await within(this.signal, this.deployment.services(this.signal)).catch(() => []);
    followAll(this.site, states, scene.phase);
    return crashIn(states, service, new Map())?.state ?? states.find((state) => state.service === service);
  }

  private async run(
    scene: Scene,
    commands: readonly Command[],
    code: 'check-failed' | 'base-failed',
  ): Promise<void> {
    for (const command of commands) {
      const end = await within(this.signal, runCommand(this.site, command, scene, this.signal));
      // A container that died is the reason, whatever the check says about it.
      await this.stillUp(scene, code === 'base-failed' ? code : 'crashed');
      if (end.ok) continue;
      await this.stillUpAWhile(scene, code === 'base-failed' ? code : 'crashed');
      throw await this.failed(scene, end, code);
    }
  }

  /** A command dies with its container, and that it did may show before the engine has noted why. */
  private async stillUpAWhile(scene: Scene, code: 'crashed' | 'base-failed'): Promise<void> {
    for (let look = 0; look < LATE_LOOKS; look++) {
      await pause(LATE_LOOK_MS, this.signal).catch(() => undefined);
      // Out of time is no reason to forget what the command has found.
      if (this.signal.aborted) return;
      await this.stillUp(scene, code);
    }
  }

  private async stillUp(scene: Scene, code: 'crashed' | 'base-failed'): Promise<void> {
    const seen = new Map(scene.states.map(({ id, startedAt }) => [id, startedAt]));
    const states = await within(this.signal, this.deployment.services(this.signal));
    const crash = crashIn(states, this.site.plan.target.service, seen);
    if (crash !== undefined) throw await this.notes.trouble(scene, new Failure(code, crash.why), crash.state);
    const gone = scene.states.find(
      ({ id, status, replaced }) =>
        status === 'running' && replaced !== true && !states.some((state) => state.id === id),
    );
    if (gone !== undefined) {
      throw await this.notes.trouble(
        scene,
        new Failure(code, `The container of \`${gone.service}\` is gone.`),
        undefined,
      );
    }
  }

  private async failed(
    scene: Scene,
    end: CommandEnd,
    code: 'check-failed' | 'base-failed',
  ): Promise<Failure> {
    const failure = new Failure(code, `${end.what}: ${end.why}.`);
    if (end.lines.length > 0) return this.notes.troubleWith(scene, failure, end.what, end.lines);
    const { service } = this.site.plan.target;
    return this.notes.trouble(
      scene,
      failure,
      scene.states.find((state) => state.service === service),
    );
  }

  private scene(release: Release, states: readonly ServiceState[]): Scene {
    return {
      deployment: this.deployment,
      release,
      states,
      tier: this.tier,
      phase: `${this.tier}-${release.role}`,
    };
  }
}
