import type { Condition } from './condition.ts';
import { cannotDetermine } from './conditions/cannot-determine.ts';
import { commitNotOnBranch } from './conditions/commit-not-on-branch.ts';
import { commitTagMismatch } from './conditions/commit-tag-mismatch.ts';
import { concurrentPromotion } from './conditions/concurrent-promotion.ts';
import { destTagConflict } from './conditions/dest-tag-conflict.ts';
import { digestMismatch } from './conditions/digest-mismatch.ts';
import { evidenceFromChange } from './conditions/evidence-from-change.ts';
import { evidenceStale } from './conditions/evidence-stale.ts';
import { evidenceSuperseded } from './conditions/evidence-superseded.ts';
import { evidenceUnbound } from './conditions/evidence-unbound.ts';
import { evidenceUntrusted } from './conditions/evidence-untrusted.ts';
import { held } from './conditions/held.ts';
import { labelTagMismatch } from './conditions/label-tag-mismatch.ts';
import { notCold } from './conditions/not-cold.ts';
import { notEnrolled } from './conditions/not-enrolled.ts';
import { notGreen } from './conditions/not-green.ts';
import { notLatest } from './conditions/not-latest.ts';
import { notTagged } from './conditions/not-tagged.ts';
import { platformMissing } from './conditions/platform-missing.ts';
import { platformUntested } from './conditions/platform-untested.ts';
import { provenanceMismatch } from './conditions/provenance-mismatch.ts';
import { recipeOwnerMismatch } from './conditions/recipe-owner-mismatch.ts';
import { requireLowered } from './conditions/require-lowered.ts';
import { sameVersionUpgrade } from './conditions/same-version-upgrade.ts';
import { signatureInvalid } from './conditions/signature-invalid.ts';
import { signatureMissing } from './conditions/signature-missing.ts';
import { soaking } from './conditions/soaking.ts';
import { sourceMissing } from './conditions/source-missing.ts';
import { tagMoved } from './conditions/tag-moved.ts';
import { tierNaUndeclared } from './conditions/tier-na-undeclared.ts';
import { treeDirty } from './conditions/tree-dirty.ts';
import { upgradeNoEffect } from './conditions/upgrade-no-effect.ts';
import { wouldDemote } from './conditions/would-demote.ts';

/** All conditions of a promotion, in the order in which people read them; the first five cannot be switched off. */
export const conditions: readonly Condition[] = [
  notGreen,
  tierNaUndeclared,
  notCold,
  notLatest,
  notEnrolled,
  notTagged,
  commitTagMismatch,
  treeDirty,
  tagMoved,
  commitNotOnBranch,
  labelTagMismatch,
  wouldDemote,
  digestMismatch,
  destTagConflict,
  sourceMissing,
  platformMissing,
  platformUntested,
  evidenceUnbound,
  evidenceUntrusted,
  evidenceStale,
  evidenceFromChange,
  evidenceSuperseded,
  sameVersionUpgrade,
  upgradeNoEffect,
  soaking,
  held,
  signatureMissing,
  signatureInvalid,
  provenanceMismatch,
  requireLowered,
  recipeOwnerMismatch,
  concurrentPromotion,
  cannotDetermine,
];
