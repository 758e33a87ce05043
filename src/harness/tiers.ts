import { Failure, type Finding } from '../outcome.ts';
import { deadline, within } from './deadline.ts';
import type { Deployment } from './deploy/deployment.ts';
import { type From, Installation, type Up } from './installation.ts';
import type { BrokenBase, Phase, TestRun, TierEnd } from './outcome-of-run.ts';
import type { Release, TierPlan } from './plan.ts';
import { type RunNotes, runNotes } from './run-notes.ts';
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
  onPhase(phase: Phase): void;
}

/** Older bases that are tried after the chosen one. */
export const OLDER_BASES = 2;

/** A base that cannot be brought up for one of these reasons is broken; any other reason is not the base's. */
const BASE_FAULTS = new Set(['image-missing', 'compose-invalid', 'path-outside']);

/** What is left for `down` once a run is over or cancelled. */
const DOWN_MS = 30_000;
const DOWN_CANCELLED_MS = 1500;

/** Runs the tiers in order. A tier that fails ends the run: what it leaves unanswered cannot make it green. */
export async function runTiers(input: TierInput): Promise<Omit<TestRun, 'startedAt' | 'finishedAt' | 'run'>> {
  const { site, cancel } = input;
  const run = deadline(cancel, site.plan.timeoutMs, 'The run', () => performance.now());
  const notes = runNotes(site, (phase) => input.onPhase(phase));
  const pass = new Pass(input, notes);
  const tiers: TierEnd[] = [];
  try {
    for (const tier of site.plan.tiers) tiers.push(await endOf(input, pass, tier, tiers, run.signal));
  } finally {
    run.clear();
    await pass.close();
  }
  const { base, broken, effect, ran } = pass;
  return {
    tiers,
    phases: notes.phases,
    troubles: notes.troubles,
    findings: [...notes.findings(), ...pass.findings],
    broken,
    ran,
    ...(base === undefined ? {} : { base }),
    ...(effect === undefined ? {} : { effect }),
  };
}

/** Runs one tier, or says why it is not run. Rejects only where the run was cancelled, or we are wrong ourselves. */
async function endOf(
  { site, cancel }: TierInput,
  pass: Pass,
  tier: TierPlan,
  earlier: readonly TierEnd[],
  signal: AbortSignal,
): Promise<TierEnd> {
  const startedAt = site.now();
  const began = performance.now();
  const end = (rest: Pick<TierEnd, 'verdict' | 'reason' | 'detail'>): TierEnd => ({
    name: tier.name,
    startedAt,
    durationMs: Math.round(performance.now() - began),
    ...rest,
  });
  if (tier.na !== undefined) return end({ verdict: 'na', ...tier.na });
  if (earlier.some(({ verdict }) => verdict === 'fail' || verdict === 'inconclusive')) {
    return end({ verdict: 'inconclusive', reason: 'tier-not-run' });
  }
  const own = deadline(signal, site.plan.tierTimeoutMs, `The tier \`${tier.name}\``, () => performance.now());
  try {
    await pass.tier(tier, own.signal);
    return end({ verdict: 'pass' });
  } catch (cause) {
    if (cancel.aborted) throw cancel.reason;
    if (!(cause instanceof Failure)) throw cause;
    pass.findings.push(...cause.findings);
    const verdict = cause.outcome === 'refused' ? 'fail' : 'inconclusive';
    return end({ verdict, reason: cause.code, detail: cause.message });
  } finally {
    own.clear();
  }
}

/** What the tiers of one run share: the installation that is up, and what was found so far. */
class Pass {
  private readonly input: TierInput;
  private readonly notes: RunNotes;
  private readonly open = new Set<Deployment>();
  private live: { deployment: Deployment; up: Up } | undefined;
  readonly broken: BrokenBase[] = [];
  /** Places in the recipe's files that a failure named. */
  readonly findings: Finding[] = [];
  ran: TestRun['ran'] = {};
  base: number | undefined;
  effect: boolean | undefined;

  constructor(input: TierInput, notes: RunNotes) {
    this.input = input;
    this.notes = notes;
  }

  async tier(tier: TierPlan, signal: AbortSignal): Promise<void> {
    switch (tier.name) {
      case 'install':
        await this.install(tier.name, signal);
        return;
      case 'upgrade':
        return this.upgrade(signal);
      default:
        return this.own(tier, signal);
    }
  }

  /** The candidate alone, on fresh volumes. */
  private async install(tier: string, signal: AbortSignal): Promise<Up> {
    await this.end(signal);
    const installation = this.installation(tier, tier, signal);
    return this.candidate(installation);
  }

  private async upgrade(signal: AbortSignal): Promise<void> {
    const { candidate, bases } = this.input;
    await this.end(signal);
    if (bases.length === 0) {
      throw new Failure('dossier-incomplete', 'There is no base to upgrade from, and no reason why not.');
    }
    for (const [index, option] of bases.entries()) {
      if (this.broken.length > OLDER_BASES) break;
      if (option.commit === candidate.commit) throw new Failure('same-version-upgrade');
      const installation = this.installation(
        'upgrade',
        index === 0 ? 'upgrade' : `upgrade-${index + 1}`,
        signal,
      );
      const from = await this.installBase(installation, option, index, signal);
      if (from === undefined) continue;
      await this.candidate(installation, from);
      return;
    }
    const names = this.broken.map(({ version }) => version).join(', ');
    throw new Failure('base-broken', `No base could be started: ${names}.`);
  }

  /** Base up, data in, stopped again; `undefined` where the base is broken. */
  private async installBase(
    installation: Installation,
    option: BaseOption,
    index: number,
    signal: AbortSignal,
  ): Promise<From | undefined> {
    let base: Release;
    let up: Up;
    try {
      base = await within(signal, option.release());
      up = await installation.start(base);
    } catch (cause) {
      const { version, tag } = option;
      // step-back looked for the image of its own choice only; an older release may never have been published.
      if (index > 0 && cause instanceof Failure && cause.code === 'image-missing') {
        this.input.site.say(`${version} is passed over: ${cause.message}`);
        await this.takeDown(installation.deployment, signal);
        return undefined;
      }
      if (!isBaseFault(cause, signal)) throw cause;
      this.broken.push({ version, why: cause.message, ...(tag === undefined ? {} : { tag }) });
      this.input.site.say(`The base ${version} does not start: ${cause.message}`);
      await this.takeDown(installation.deployment, signal);
      return undefined;
    }
    this.base = index;
    await installation.seed(up);
    const from = installation.from(up);
    await installation.stop(base);
    return from;
  }

  private async own(tier: TierPlan, signal: AbortSignal): Promise<void> {
    const up = this.live?.up ?? (await this.install(tier.name, signal));
    const deployment = up.scene.deployment;
    await new Installation(this.input.site, this.notes, deployment, tier.name, signal).own(
      up,
      tier.commands ?? [],
    );
  }

  /** Starts and checks the candidate; after an upgrade it has to have had an effect. */
  private async candidate(installation: Installation, from?: From): Promise<Up> {
    const up = await installation.start(this.input.candidate).catch((cause: unknown) => {
      if (cause instanceof Failure && cause.code === 'upgrade-no-effect') this.effect = false;
      throw cause;
    });
    if (from !== undefined) {
      this.effect = false;
      await installation.proveEffect(up, from);
      this.effect = true;
    }
    await installation.check(up);
    this.ran = Object.fromEntries(
      up.states
        .filter(({ replaced }) => replaced !== true)
        .map(({ service, imageId, reference }) => [service, { imageId, reference }]),
    );
    this.live = { deployment: installation.deployment, up };
    return up;
  }

  private installation(tier: string, scope: string, signal: AbortSignal): Installation {
    const deployment = this.input.deploy(scope);
    this.open.add(deployment);
    return new Installation(this.input.site, this.notes, deployment, tier, signal);
  }

  /** Takes the earlier installation down, so that the next tier finds free memory and ports. */
  private async end(signal: AbortSignal): Promise<void> {
    const deployment = this.live?.deployment;
    this.live = undefined;
    if (deployment !== undefined) await this.takeDown(deployment, signal);
  }

  private async takeDown(deployment: Deployment, signal: AbortSignal): Promise<void> {
    this.open.delete(deployment);
    try {
      await within(signal, deployment.down(signal));
    } catch (cause) {
      if (signal.aborted) throw cause;
      this.input.site.say(
        `${deployment.project} is taken down at the end of the run: ${(cause as Error).message}`,
      );
    }
  }

  /**
   * Ends what is still up. Containers and stacks are removed by name after this in any case; a recipe's own `down`
   * runs only here, so it runs however the run ended.
   */
  async close(): Promise<void> {
    const { site, cancel } = this.input;
    const failed = site.plan.keep && this.notes.troubles.length > 0;
    if (failed || site.plan.deploy.kind !== 'commands') return;
    const limit = AbortSignal.timeout(cancel.aborted ? DOWN_CANCELLED_MS : DOWN_MS);
    for (const deployment of this.open) await this.takeDown(deployment, limit).catch(() => undefined);
  }
}

function isBaseFault(cause: unknown, signal: AbortSignal): cause is Failure {
  return (
    cause instanceof Failure &&
    !signal.aborted &&
    (cause.outcome === 'refused' || BASE_FAULTS.has(cause.code))
  );
}
