import type { RecipeView } from '../ledger/ledger.ts';
import type { Digest } from '../oci/digest.ts';
import { floatingOfRecord } from './floating.ts';
import { digestIn, isExact, type PromotionPlan, type TagMove } from './plan.ts';
import type { PublishTools } from './publish.ts';
import { tagWriter } from './tag-writer.ts';

/**
 * Between reading the lease and the registry's answer a run can be held up for as long as it likes; what it puts
 * then is out of date. Having lost the lease, it looks at each tag that it put, and where the tag shows our digest
 * although the ledger says another, it puts that one.
 */
export async function settleAfterLoss(
  plan: PromotionPlan,
  begun: readonly TagMove[],
  tools: PublishTools,
): Promise<void> {
  if (begun.length === 0) return;
  const tags = tagWriter(tools.registry, tools.waiting, tools.write);
  const view = await tools.ledger.read(plan.recipe);
  const belongs = await whereTagsBelong(view, plan, tools);
  for (const move of begun) {
    const right = belongs(move);
    if (right === undefined || right === move.to) continue;
    if ((await tags.current(move.image, move.tag)) !== move.to) continue;
    tools.tell(`${move.image}:${move.tag} → ${right}: another run was faster`);
    await tags.put(move.image, move.tag, right);
    await tags.readBack(move.image, move.tag, move.to, right);
  }
}

/** Where the ledger says that a tag belongs; `undefined` where it says nothing, or its holder sees to it. */
async function whereTagsBelong(
  view: RecipeView,
  plan: PromotionPlan,
  tools: PublishTools,
): Promise<(move: TagMove) => Digest | undefined> {
  const record = view.record();
  const images = [...new Set(plan.moves.map(({ image }) => image))];
  const floating = record === undefined ? [] : await floatingOfRecord(tools.ledger, record, images);
  const theirs = view.intent()?.tags ?? [];
  const released = view
    .trail()
    .map((line) => line.record)
    .filter(({ version }) => version === plan.version)
    .at(-1);
  return ({ image, tag, from }) => {
    if (theirs.some((other) => other.tag === tag && (other.image ?? image) === image)) return undefined;
    if (isExact(tag, plan.version))
      return released === undefined ? undefined : digestIn(released.subject, image);
    return floating.find((other) => other.image === image && other.tag === tag)?.to ?? from ?? undefined;
  };
}
