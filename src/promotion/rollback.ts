import type { RecipeView } from '../ledger/ledger.ts';
import type { CanonicalRecord } from '../ledger/record.ts';
import { tagOfVersion } from '../oci/tag.ts';
import { Failure } from '../outcome.ts';
import { floatingNames, floatingTargets } from '../rules/floating-tags.ts';
import { evaluateGate, type GateResult } from '../rules/gate/evaluate.ts';
import { rollbackConditions } from '../rules/gate/rollback-conditions.ts';
import { compareVersions, parseVersion } from '../rules/version.ts';
import { releasesThatCount } from './floating.ts';
import { digestIn, orderedMoves, type PromotionPlan, type TagMove } from './plan.ts';
import { publish } from './publish.ts';
import { recover } from './recover.ts';
import {
  type Judged,
  type LookTools,
  ownImages,
  type PromotedSubject,
  takeSnapshot,
} from './snapshot-taker.ts';
import { tagWriter } from './tag-writer.ts';

export interface RollbackInput
  extends Omit<Judged, 'candidate' | 'subject' | 'evidence' | 'context' | 'stated'> {
  /** The version to go back to; left out: the one that was canonical before. */
  readonly to: string | undefined;
  readonly why: string;
  readonly until: 'newer' | 'manual';
  /** Own images, without tag. */
  readonly images: readonly string[];
  readonly by: string;
  readonly dryRun: boolean;
  /** Told of the answer before anything is written. */
  readonly decided?: (gate: GateResult) => void;
}

export interface RollbackResult {
  readonly answer: 'rolled-back' | 'refused' | 'planned';
  readonly gate: GateResult;
  readonly target: CanonicalRecord;
  readonly canonical?: CanonicalRecord;
  readonly moves: readonly TagMove[];
}

const rounds = 8;

/**
 * Makes an earlier release canonical again, by a new record, moves the floating tags back to it, and holds the bad
 * version, so that the next sweep does not promote it again. Fails with `canonical-missing` and
 * `rollback-target-unknown`, and as `promoteRelease` does.
 */
export async function rollBack(input: RollbackInput, tools: LookTools): Promise<RollbackResult> {
  for (let round = 0; round < rounds; round++) {
    const view = await tools.ledger.read(input.recipe);
    const current = view.record();
    if (current === undefined)
      throw new Failure('canonical-missing', `${input.recipe} has no canonical release.`);
    if (view.lease(tools.waiting.now()) === 'expired' && !input.dryRun) {
      await recover(view, judgedAs(input, current), tools);
      continue;
    }
    const target = targetOf(view, current, input.to);
    const judged = judgedAs(input, target);
    const { snapshot } = await takeSnapshot(judged, view, tools);
    const gate = evaluateGate(snapshot, rollbackConditions);
    input.decided?.(gate);
    if (gate.verdict !== 'pass') return { answer: 'refused', gate, target, canonical: current, moves: [] };
    const moves = await movesBack(input, current, target, tools);
    if (input.dryRun) return { answer: 'planned', gate, target, canonical: current, moves };
    const plan: PromotionPlan = {
      recipe: input.recipe,
      version: target.version,
      digest: snapshot.images[0]?.digest ?? emptyDigest,
      moves,
      run: input.run,
      record: recordOf(input, current, target, gate, new Date(tools.waiting.now()).toISOString()),
    };
    if ((await publish(plan, view.revision, tools)) === 'changed') continue;
    const after = (await tools.ledger.read(input.recipe)).record();
    return {
      answer: 'rolled-back',
      gate,
      target,
      moves,
      ...(after === undefined ? {} : { canonical: after }),
    };
  }
  throw new Failure('ledger-busy', `${input.recipe} changed ${rounds} times while it was looked at.`);
}

/** Of nothing: a subject without an own image has no digest that a tag could be on. */
const emptyDigest = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as const;

function judgedAs(input: RollbackInput, record: CanonicalRecord): Judged {
  const { version, commit } = record;
  return {
    recipe: input.recipe,
    repository: input.repository,
    run: input.run,
    context: 'release',
    policy: input.policy,
    candidate: { version, commit, checkout: commit, tree: '', dirty: [] },
    subject: subjectOf(record, input.images),
    stated: { known: [] },
  };
}

function subjectOf({ subject }: CanonicalRecord, images: readonly string[]): PromotedSubject {
  if (subject.kind === 'image') return { kind: 'image', image: subject.image, digest: subject.digest };
  return {
    kind: 'compose',
    images: subject.images,
    own: images.flatMap((image) => {
      const digest = digestIn(subject, image);
      return digest === undefined ? [] : [{ image, digest }];
    }),
  };
}

/** The promotion to go back to: the named version's last one, else the newest older one that nobody holds. */
function targetOf(view: RecipeView, current: CanonicalRecord, to: string | undefined): CanonicalRecord {
  const promotions = view.trail().flatMap(({ record }) => (record.kind === 'promote' ? [record] : []));
  const bad = current.hold?.bad ?? [];
  const found = promotions.findLast(({ version }) =>
    to === undefined
      ? version !== current.version && !bad.includes(version) && isOlder(version, current.version)
      : isSame(version, to),
  );
  if (found !== undefined && found.version !== current.version) return found;
  throw new Failure(
    'rollback-target-unknown',
    to === undefined
      ? `Nothing older than ${current.version} was promoted.`
      : found === undefined
        ? `${JSON.stringify(to)} was never promoted.`
        : `${found.version} is the canonical already.`,
  );
}

function order(a: string, b: string): number | undefined {
  const [x, y] = [parseVersion(a), parseVersion(b)];
  return x === undefined || y === undefined ? undefined : compareVersions(x, y);
}

const isOlder = (a: string, b: string): boolean => (order(a, b) ?? -1) < 0;
const isSame = (a: string, b: string): boolean => a === b || order(a, b) === 0;

/**
 * The target's floating tags go to it. Those that only the bad version had go to the highest good release of their
 * line; where there is none they stay, because registries cannot remove a tag alone.
 */
async function movesBack(
  input: RollbackInput,
  current: CanonicalRecord,
  target: CanonicalRecord,
  tools: LookTools,
): Promise<readonly TagMove[]> {
  const tags = tagWriter(tools.registry, tools.waiting, tools.write);
  const moves: TagMove[] = [];
  for (const { image, digest } of ownImages(subjectOf(target, input.images))) {
    const exact = tagOfVersion(target.version);
    moves.push({ image, tag: exact, from: await tags.current(image, exact), to: digest });
    if (tools.floating === 'never') continue;
    const promoted = await tools.ledger.promoted(image);
    const targets = floatingTargets(releasesThatCount(promoted, input.recipe, target.version));
    const good = floatingTargets(
      promoted.filter(({ version, held }) => !held && !isSame(version, current.version)),
    );
    const mine = floatingNames(target.version);
    for (const tag of new Set([...mine, ...floatingNames(current.version)])) {
      const to = (mine.includes(tag) ? targets.get(tag) : good.get(tag))?.digest;
      const from = await tags.current(image, tag);
      if (to === undefined)
        tools.tell(`${image}:${tag} stays on ${from ?? 'nothing'}: no good release has it.`);
      else if (from !== to) moves.push({ image, tag, from, to });
    }
  }
  return orderedMoves(moves, target.version);
}

function recordOf(
  input: RollbackInput,
  current: CanonicalRecord,
  target: CanonicalRecord,
  gate: GateResult,
  at: string,
): CanonicalRecord {
  const bad = new Set([...(current.hold?.bad ?? []), current.version]);
  return {
    ...target,
    sequence: current.sequence + 1,
    previous: { version: current.version, commit: current.commit, sequence: current.sequence },
    kind: 'rollback',
    why: input.why,
    hold: { bad: [...bad], until: input.until, reason: input.why, by: input.by, at },
    // Going back must not quietly lower what the next promotion has to bring.
    evidence: { ...target.evidence, required: current.evidence.required },
    gate: Object.fromEntries(gate.rows.map(({ code, verdict }) => [code, verdict])),
    by: input.by,
    at,
  };
}
