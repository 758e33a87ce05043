import type { Intent } from '../ledger/intent.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Waiting, WriteHook } from '../ledger/store.ts';
import type { Digest } from '../oci/digest.ts';
import { Failure } from '../outcome.ts';
import { floatingOfRecord } from './floating.ts';
import { type Lease, leaseEnd, leaseOn } from './lease.ts';
import { isExact, type PromotionPlan, type TagMove } from './plan.ts';
import { settleAfterLoss } from './settle.ts';
import { type TagRegistry, tagWriter } from './tag-writer.ts';
import { undoMoves } from './undo.ts';

/** What the write protocol works with. */
export interface PublishTools {
  readonly ledger: Ledger;
  readonly registry: TagRegistry;
  readonly waiting: Waiting;
  /** A new random name of a lock. */
  readonly nonce: () => string;
  readonly write: WriteHook;
  readonly tell: (text: string) => void;
}

/**
 * Carries out a plan that was decided on `revision` of the recipe. Registries have no compare-and-swap on tags, so
 * the ledger's intent is the lock, and tells a later run what this one was about to do:
 *
 * intent (absent → ours) → tags read again → tags put and read back → record, audit line and no intent in one write.
 *
 * `changed`: the recipe is not at that revision any more; look again and decide again. Fails with
 * `dest-tag-conflict` (refused; nothing of ours is left), `concurrent-promotion` (the lease went to another run),
 * `readback-timeout`, and with what registry and ledger fail with; then the intent is left for the next run.
 */
export async function publish(
  plan: PromotionPlan,
  revision: Digest,
  tools: PublishTools,
): Promise<'published' | 'changed'> {
  const intent: Intent = {
    nonce: tools.nonce(),
    version: plan.version,
    digest: plan.digest,
    sequence: plan.record?.sequence ?? ((await tools.ledger.read(plan.recipe)).record()?.sequence ?? 0) + 1,
    tags: intentTags(plan),
    run: plan.run,
    expires: leaseEnd(tools.waiting.now()),
    ...(plan.record === undefined ? {} : { record: plan.record }),
    ...(plan.evidence === undefined ? {} : { evidence: plan.evidence }),
  };
  const taken = await tools.write('take intent', () =>
    tools.ledger.takeIntent(plan.recipe, intent, { revision }),
  );
  if (taken === 'changed') return 'changed';
  return carryOut(plan, leaseOn(plan.recipe, intent.nonce, tools), tools);
}

/** One own image needs no name on each tag. */
function intentTags({ moves }: PromotionPlan): Intent['tags'] {
  const single = new Set(moves.map(({ image }) => image)).size <= 1;
  return moves.map(({ image, tag, from, to }) => (single ? { tag, from, to } : { image, tag, from, to }));
}

/** The protocol from the moment that the intent is ours. */
export async function carryOut(
  plan: PromotionPlan,
  lease: Lease,
  tools: PublishTools,
): Promise<'published' | 'changed'> {
  const { ledger, write } = tools;
  const tags = tagWriter(tools.registry, tools.waiting, write);
  const begun: TagMove[] = [];
  try {
    const view = await ledger.read(plan.recipe);
    const next = (view.record()?.sequence ?? 0) + 1;
    if (plan.record !== undefined && plan.record.sequence !== next) {
      await lease.drop();
      return 'changed';
    }
    for (const { image, tag, from, to } of plan.moves) {
      const seen = await tags.current(image, tag);
      if (seen === from || seen === to) continue;
      throw new Failure('dest-tag-conflict', `${image}:${tag} is on ${seen ?? 'nothing'} all of a sudden.`);
    }
    for (const move of plan.moves) {
      await lease.assertHeld();
      if ((await tags.current(move.image, move.tag)) === move.to) continue;
      begun.push(move);
      tools.tell(`${move.image}:${move.tag} → ${move.to}`);
      await tags.put(move.image, move.tag, move.to);
      await tags.readBack(move.image, move.tag, move.from, move.to);
    }
    await lease.assertHeld();
    const { record } = plan;
    if (record === undefined) {
      await lease.drop();
    } else {
      const written = await write('commit record', () =>
        ledger.commit(plan.recipe, record, { nonce: lease.nonce }),
      );
      if (written === 'lost')
        throw new Failure('concurrent-promotion', 'Another run promoted this recipe first.');
    }
  } catch (cause) {
    await leave(cause, plan, begun, lease, tools);
    throw cause;
  }
  await straighten(plan, tools);
  return 'published';
}

/** What is done about a promotion that stopped half-way; the cause is what people see, whatever happens here. */
async function leave(
  cause: unknown,
  plan: PromotionPlan,
  begun: readonly TagMove[],
  lease: Lease,
  tools: PublishTools,
): Promise<void> {
  const code = cause instanceof Failure ? cause.code : undefined;
  try {
    if (code === 'concurrent-promotion') {
      await settleAfterLoss(plan, begun, tools);
    } else if (code === 'dest-tag-conflict') {
      await undoMoves(begun, plan.version, tools);
      await lease.drop();
    } else if (begun.length === 0) {
      await lease.drop();
    } else if (code !== 'readback-timeout') {
      await lease.giveUp();
    }
  } catch (also) {
    tools.tell(
      `The intent stays in the ledger for the next run: ${also instanceof Error ? also.message : 'unknown error'}`,
    );
  }
}

/**
 * A put of a run that lost its lease long ago can arrive after ours, and another recipe of the same image can have
 * been promoted beside us. As long as our record is the canonical and nobody promotes this recipe, its tags are put
 * where the ledger says that they belong.
 */
async function straighten(plan: PromotionPlan, tools: PublishTools): Promise<void> {
  if (plan.moves.length === 0) return;
  const tags = tagWriter(tools.registry, tools.waiting, tools.write);
  const view = await tools.ledger.read(plan.recipe);
  const record = view.record();
  if (view.lease(tools.waiting.now()) !== 'none' || record === undefined) return;
  if (plan.record !== undefined && record.sequence !== plan.record.sequence) return;
  const images = [...new Set(plan.moves.map(({ image }) => image))];
  const floating = await floatingOfRecord(tools.ledger, record, images);
  for (const { image, tag, to } of plan.moves) {
    const belongs = isExact(tag, plan.version)
      ? to
      : (floating.find((other) => other.image === image && other.tag === tag)?.to ?? to);
    const seen = await tags.current(image, tag);
    if (seen === belongs) continue;
    tools.tell(`${image}:${tag} is on ${seen ?? 'nothing'} and belongs on ${belongs}; putting it right.`);
    await tags.put(image, tag, belongs);
    await tags.readBack(image, tag, seen, belongs);
  }
}
