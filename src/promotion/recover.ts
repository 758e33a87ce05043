import type { Intent } from '../ledger/intent.ts';
import type { RecipeView } from '../ledger/ledger.ts';
import type { CanonicalRecord } from '../ledger/record.ts';
import { Failure } from '../outcome.ts';
import type { Condition } from '../rules/gate/condition.ts';
import { conditions } from '../rules/gate/conditions.ts';
import { evaluateGate } from '../rules/gate/evaluate.ts';
import { rollbackConditions } from '../rules/gate/rollback-conditions.ts';
import { readJudgedOn } from './judged-on.ts';
import { leaseEnd, leaseOn } from './lease.ts';
import { digestIn, isExact, orderedMoves, type PromotionPlan } from './plan.ts';
import { carryOut } from './publish.ts';
import {
  type Judged,
  type LookTools,
  ownImages,
  type PromotedSubject,
  takeSnapshot,
} from './snapshot-taker.ts';
import { tagWriter } from './tag-writer.ts';
import { undoMoves } from './undo.ts';

/**
 * Ends what a run began that stopped in the middle. Its intent's lease is over; ours replaces it, by compare-and-swap.
 * Where the exact version's tag is in place the gate is judged again, on the evidence that the intent kept: passed,
 * the promotion is finished, its record written as that run had planned it. Otherwise floating tags go back to where
 * they were, and the intent is removed. A tag on a digest proves nothing without an intent: such a tag is foreign.
 *
 * Answers the version that was finished; `undefined` where it was undone, or another run was faster.
 */
export async function recover(view: RecipeView, by: Judged, tools: LookTools): Promise<string | undefined> {
  const intent = view.intent();
  if (intent === undefined) return undefined;
  const { ledger, waiting, write } = tools;
  const nonce = tools.nonce();
  const ours: Intent = { ...intent, nonce, expires: leaseEnd(waiting.now()) };
  const taken = await write('take over intent', () =>
    ledger.takeIntent(view.recipe, ours, { revision: view.revision, replaces: intent.nonce }),
  );
  if (taken === 'changed') return undefined;
  tools.tell(`The run ${intent.run} stopped while it promoted ${intent.version}; ending that first.`);
  const lease = leaseOn(view.recipe, nonce, tools);
  const plan = planIn(intent, by);
  try {
    if (await mayFinish(plan, by, tools, nonce)) {
      return (await carryOut(plan, lease, tools)) === 'published' ? plan.version : undefined;
    }
    await undoMoves(plan.moves, plan.version, tools);
    await lease.drop();
    return undefined;
  } catch (cause) {
    await lease.giveUp().catch(() => undefined);
    throw cause;
  }
}

function planIn(intent: Intent, by: Judged): PromotionPlan {
  const { record } = intent;
  const subject = record?.subject.kind === 'image' ? record.subject.image : undefined;
  const single = subject ?? ownImages(by.subject)[0]?.image;
  const moves = intent.tags.flatMap(({ image = single, tag, from, to }) =>
    image === undefined ? [] : [{ image, tag, from, to }],
  );
  return {
    recipe: by.recipe,
    version: intent.version,
    digest: intent.digest,
    moves: orderedMoves(moves, intent.version),
    run: intent.run,
    ...(record === undefined ? {} : { record }),
    ...(intent.evidence === undefined ? {} : { evidence: intent.evidence }),
  };
}

async function mayFinish(plan: PromotionPlan, by: Judged, tools: LookTools, nonce: string): Promise<boolean> {
  const { record } = plan;
  if (record === undefined) return false;
  const tags = tagWriter(tools.registry, tools.waiting, tools.write);
  const exact = plan.moves.filter(({ tag }) => isExact(tag, plan.version));
  if (exact.length === 0) return false;
  for (const { image, tag, to } of exact) if ((await tags.current(image, tag)) !== to) return false;
  const judged = judgedAs(record, plan, by);
  if (judged === undefined) return false;
  const view = await tools.ledger.read(plan.recipe);
  const { snapshot } = await takeSnapshot(judged.facts, view, tools, nonce);
  const { verdict, failing } = evaluateGate(snapshot, judged.conditions);
  // Not answered is neither yes nor no: what stands half-way stays so for the next run.
  if (verdict === 'unknown') {
    throw new Failure('cannot-determine', `Whether ${plan.version} may be promoted could not be told.`);
  }
  if (verdict !== 'pass') tools.tell(`${plan.version} is not promoted: ${failing.join(', ')}.`);
  return verdict === 'pass';
}

/** The snapshot's fixed part for what the intent wanted, and what has to hold for it. */
function judgedAs(
  record: CanonicalRecord,
  plan: PromotionPlan,
  by: Judged,
): { facts: Judged; conditions: readonly Condition[] } | undefined {
  const subject = subjectOf(record, plan);
  const common = {
    recipe: by.recipe,
    repository: by.repository,
    policy: by.policy,
    context: 'release',
    subject,
  } as const;
  if (record.kind === 'rollback') {
    const { version, commit } = record;
    const candidate = { version, commit, checkout: commit, tree: '', dirty: [] };
    return {
      facts: { ...common, run: plan.run, candidate, stated: { known: [] } },
      conditions: rollbackConditions,
    };
  }
  const on = readJudgedOn(plan.evidence);
  if (on === undefined) return undefined;
  const { candidate, evidence, stated } = on;
  return {
    facts: { ...common, run: evidence.run, candidate, evidence, stated: { known: stated } },
    conditions,
  };
}

function subjectOf({ subject }: CanonicalRecord, plan: PromotionPlan): PromotedSubject {
  if (subject.kind === 'image') return { kind: 'image', image: subject.image, digest: subject.digest };
  const images = [...new Set(plan.moves.map(({ image }) => image))];
  return {
    kind: 'compose',
    images: subject.images,
    own: images.flatMap((image) => {
      const digest = digestIn(subject, image);
      return digest === undefined ? [] : [{ image, digest }];
    }),
  };
}
