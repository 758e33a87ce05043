import type { Condition } from './condition.ts';
import { cannotDetermine } from './conditions/cannot-determine.ts';
import { commitTagMismatch } from './conditions/commit-tag-mismatch.ts';
import { concurrentPromotion } from './conditions/concurrent-promotion.ts';
import { destTagConflict } from './conditions/dest-tag-conflict.ts';
import { digestMismatch } from './conditions/digest-mismatch.ts';
import { held } from './conditions/held.ts';
import { notTagged } from './conditions/not-tagged.ts';
import { recipeOwnerMismatch } from './conditions/recipe-owner-mismatch.ts';
import { sourceMissing } from './conditions/source-missing.ts';
import { tagMoved } from './conditions/tag-moved.ts';

/**
 * What must hold to make an earlier release canonical again. It passed the whole gate once; now its tag and digest
 * must be where they were, and nobody may hold it.
 */
export const rollbackConditions: readonly Condition[] = [
  notTagged,
  commitTagMismatch,
  tagMoved,
  digestMismatch,
  sourceMissing,
  destTagConflict,
  held,
  recipeOwnerMismatch,
  concurrentPromotion,
  cannotDetermine,
];
