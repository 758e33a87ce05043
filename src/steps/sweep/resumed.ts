import type { Ledger, RecipeView } from '../../ledger/ledger.ts';
import type { RunLine } from '../../ledger/runs.ts';
import type { FreeStepInput } from '../step.ts';
import type { Begun, Results } from './results.ts';

/**
 * The run log before this sweep, and what this very sweep noted of a release before it was killed: its own attempt
 * is none that rests.
 */
export function splitRuns(
  runs: readonly RunLine[],
  begun: Begun | undefined,
  target: { readonly version: string; readonly commit: string },
): { readonly before: readonly RunLine[]; readonly own?: RunLine } {
  if (begun === undefined) return { before: runs };
  const isOwn = (line: RunLine): boolean => line.run === begun.run && Date.parse(line.startedAt) >= begun.at;
  const own = runs.findLast(
    (line) => isOwn(line) && line.version === target.version && line.commit === target.commit,
  );
  return { before: runs.filter((line) => !isOwn(line)), ...(own === undefined ? {} : { own }) };
}

/**
 * The killed part of this sweep may have stopped in the middle of a promotion. Its process is gone for certain, so its
 * lease need not run out first: the promotion that comes next ends or undoes it.
 */
export async function endOwnPromotion(
  ledger: Ledger,
  view: RecipeView,
  { begun }: Results,
  { now }: FreeStepInput,
): Promise<void> {
  if (begun?.isDead !== true || view.lease(now().getTime()) !== 'live') return;
  const intent = view.intent();
  if (intent?.run === begun.run) {
    await ledger.renewIntent(view.recipe, intent.nonce, now().toISOString());
  }
}
