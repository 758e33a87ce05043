import type { RecipeView } from '../ledger/ledger.ts';
import type { CanonicalRecord, RecordSubject } from '../ledger/record.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { Failure } from '../outcome.ts';
import type { ReasonCode } from '../reasons.ts';
import type { FloatingPlan } from '../rules/floating-tags.ts';
import { evaluateGate, type GateResult } from '../rules/gate/evaluate.ts';
import type { JudgedOn } from './judged-on.ts';
import { nextRecord } from './next-record.ts';
import { digestIn, orderedMoves, type PromotionPlan, type TagMove } from './plan.ts';
import { publish } from './publish.ts';
import { recover } from './recover.ts';
import {
  type Judged,
  type LookTools,
  type PromotedSubject,
  type Taken,
  takeSnapshot,
} from './snapshot-taker.ts';

export interface PromoteInput extends Judged {
  readonly recipeDigest: string | undefined;
  /** Who started the run, for the record. */
  readonly by: string;
  /** Decide, and write nothing. */
  readonly dryRun: boolean;
  /** Told of the gate's answer before anything is written. */
  readonly decided?: (gate: GateResult) => void;
}

export interface PromoteResult {
  readonly answer: 'promoted' | 'already-canonical' | 'refused' | 'planned';
  readonly gate: GateResult;
  /** The canonical as the ledger has it afterwards. */
  readonly canonical?: CanonicalRecord;
  /** Tags that would move, or have moved. */
  readonly moves: readonly TagMove[];
  readonly floating: readonly FloatingPlan[];
}

/** Other runs can change the recipe between our look and our intent; more often than this is no coincidence. */
const rounds = 8;

/** A run that is none of these may finish what another run began: it is trusted to write the ledger itself. */
const mayNotRecover: readonly ReasonCode[] = [
  'not-green',
  'not-cold',
  'not-tagged',
  'evidence-from-change',
  'cannot-determine',
];

/**
 * Promotes a release if every condition of the gate holds: takes a snapshot, judges it, and carries out the write
 * protocol. A refused one has written nothing. Fails with what ledger and registry fail with (`record-untrusted`,
 * `ledger-missing`, `readback-timeout`, …), with `concurrent-promotion` and `dest-tag-conflict`.
 */
export async function promoteRelease(input: PromoteInput, tools: LookTools): Promise<PromoteResult> {
  let finished: string | undefined;
  for (let round = 0; round < rounds; round++) {
    const view = await tools.ledger.read(input.recipe);
    const taken = await takeSnapshot(input, view, tools);
    const gate = evaluateGate(taken.snapshot);
    const { floating } = taken;
    if (
      view.lease(tools.waiting.now()) === 'expired' &&
      !input.dryRun &&
      !gate.failing.some((code) => mayNotRecover.includes(code))
    ) {
      finished = (await recover(view, input, tools)) ?? finished;
      continue;
    }
    const moves = movesOf(input, taken);
    const record = view.record();
    if (isCanonicalAlready(input, taken, record, moves)) {
      const answer = finished === input.candidate.version ? 'promoted' : 'already-canonical';
      return { answer, gate, moves, floating, ...(record === undefined ? {} : { canonical: record }) };
    }
    input.decided?.(gate);
    const canonical = record === undefined ? {} : { canonical: record };
    if (gate.verdict !== 'pass') return { answer: 'refused', gate, moves: [], floating, ...canonical };
    const plan = planOf(input, taken, view, gate, moves, tools.waiting.now());
    if (input.dryRun) return { answer: 'planned', gate, moves, floating, ...canonical };
    if ((await publish(plan, view.revision, tools)) === 'changed') continue;
    // What is reported is what is there, not what we meant to write.
    const after = (await tools.ledger.read(input.recipe)).record();
    return {
      answer: 'promoted',
      gate,
      moves,
      floating,
      ...(after === undefined ? {} : { canonical: after }),
    };
  }
  throw new Failure('ledger-busy', `${input.recipe} changed ${rounds} times while it was looked at.`);
}

/** Tags that publishing this candidate moves, in order; none that is right already but the version's own. */
function movesOf(input: PromoteInput, { snapshot, floating }: Taken): readonly TagMove[] {
  const moves = snapshot.images.flatMap(({ image, digest, destination }, index): TagMove[] => {
    if ('unanswered' in destination || digest === undefined) return [];
    const { tag, current } = destination.known;
    const others = floating[index]?.moves ?? [];
    return [
      { image, tag, from: current ?? null, to: digest },
      ...others.map((move) => ({ image, tag: move.tag, from: move.from ?? null, to: move.to })),
    ];
  });
  return orderedMoves(moves, input.candidate.version);
}

/** Record, git tag, digest and destination tags all equal: there is nothing left to do. */
function isCanonicalAlready(
  { candidate, subject }: PromoteInput,
  { snapshot }: Taken,
  record: CanonicalRecord | undefined,
  moves: readonly TagMove[],
): boolean {
  const { releases, images, floating } = snapshot;
  return (
    record !== undefined &&
    record.version === candidate.version &&
    record.commit === candidate.commit &&
    isSameSubject(record.subject, subject) &&
    'known' in releases &&
    releases.known.tag?.commit === record.commit &&
    'known' in floating &&
    images.every(({ destination }) => 'known' in destination) &&
    moves.every(({ from, to }) => from === to)
  );
}

type Pushed = Exclude<PromotedSubject, { readonly digest: undefined }>;

function isPushed(subject: PromotedSubject): subject is Pushed {
  return subject.kind === 'compose' || subject.digest !== undefined;
}

function isSameSubject(record: RecordSubject, subject: PromotedSubject): boolean {
  if (subject.kind === 'image') {
    return subject.digest !== undefined && digestIn(record, subject.image) === subject.digest;
  }
  return record.kind === 'compose' && digestOfImages(record.images) === digestOfImages(subject.images);
}

/** One digest over a compose application's images. */
function digestOfImages(images: Readonly<Record<string, string>>): Digest {
  return digestOf(JSON.stringify(Object.entries(images).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function planOf(
  input: PromoteInput,
  taken: Taken,
  view: RecipeView,
  gate: GateResult,
  moves: readonly TagMove[],
  now: number,
): PromotionPlan {
  const { candidate, evidence, subject } = input;
  const { stated, releases } = taken.snapshot;
  const tag = 'known' in releases ? releases.known.tag : undefined;
  if (evidence === undefined || tag === undefined || 'unanswered' in stated || !isPushed(subject)) {
    throw new Failure('internal-error', 'The gate passed a release without evidence, tag or version.');
  }
  const before = view.record();
  const again = before?.version === candidate.version && isSameSubject(before.subject, subject);
  const judgedOn: JudgedOn = { candidate, evidence, stated: stated.known };
  const base = {
    recipe: input.recipe,
    version: candidate.version,
    digest: subject.kind === 'image' ? subject.digest : digestOfImages(subject.images),
    moves,
    run: input.run,
    evidence: judgedOn,
  };
  // The canonical itself: its tags are put right, and its record stays byte for byte.
  if (again) return base;
  const record = nextRecord({
    ...input,
    before,
    evidence,
    subject: recordSubject(subject, input, taken),
    version: candidate.version,
    tag: tag.name,
    commit: tag.commit,
    gate: gate.rows,
    at: new Date(now).toISOString(),
  });
  return { ...base, record };
}

function recordSubject(subject: Pushed, { evidence }: PromoteInput, { contents }: Taken): RecordSubject {
  if (subject.kind === 'compose') return { kind: 'compose', images: { ...subject.images } };
  const [first] = contents;
  const platforms = first !== undefined && 'known' in first ? (first.known?.platforms ?? []) : [];
  return {
    kind: 'image',
    image: subject.image,
    digest: subject.digest,
    platforms: Object.fromEntries(platforms.map(({ platform, manifest }) => [platform, manifest.digest])),
    tested: [...(evidence?.testedPlatforms ?? [])],
  };
}
