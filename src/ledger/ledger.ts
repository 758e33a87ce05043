import type { Digest } from '../oci/digest.ts';
import type { Intent } from './intent.ts';
import type { CanonicalRecord } from './record.ts';
import type { FinishedRun, RunLine } from './runs.ts';
import type { AuditLine } from './trail.ts';

/**
 * What the ledger knows of one recipe at one moment. Each part is read and checked when it is asked for, so that a
 * step that needs the record only is not stopped by a damaged run log.
 */
export interface RecipeView {
  readonly recipe: string;
  /** Equal for equal record, trail, run log and intent. */
  readonly revision: Digest;
  /** `undefined`: nothing was promoted yet. Fails with `record-corrupt`, `record-untrusted`, `record-too-new`. */
  record(): CanonicalRecord | undefined;
  /** All records from the first to the canonical; as `record()` fails. */
  trail(): readonly AuditLine[];
  /** Finished tests in context `release`, oldest first. Fails with `record-corrupt`. */
  runs(): readonly RunLine[];
  /** The promotion under way. Fails with `record-corrupt`. */
  intent(): Intent | undefined;
  /** Whether a promotion is under way at `now` (milliseconds). Fails with `intent-invalid` for an endless lease. */
  lease(now: number): 'none' | 'live' | 'expired';
  /** What drift has seen before, as drift wrote it; parsed JSON. Fails with `record-corrupt`. */
  baseline(): unknown;
}

/** Every release of one image that was ever promoted, over all recipes of the ledger. */
export interface PromotedRelease {
  readonly recipe: string;
  readonly version: string;
  readonly digest: Digest;
  /** True for the canonical release of its recipe. */
  readonly canonical: boolean;
  /** True where its recipe holds this version now. */
  readonly held: boolean;
}

/**
 * Canonical records, run log, audit trail and intents of all recipes. Recipe names are checked here
 * (`recipe-name-invalid`). All methods but `init` and `exists` fail with `ledger-missing` where there is no ledger;
 * besides, with `ledger-unavailable`, `ledger-busy`, `git-denied`, `git-unreachable`, `path-outside`.
 */
export interface Ledger {
  /** As the setting, without credentials; for people. */
  readonly address: string;
  exists(): Promise<boolean>;
  /** Makes the empty ledger once; `false` where it was there. */
  init(): Promise<boolean>;
  recipes(): Promise<readonly string[]>;
  read(recipe: string): Promise<RecipeView>;
  /** Record, trail and run log of every recipe of the ledger, each recipe's of one moment. */
  all(): Promise<ReadonlyMap<string, RecipeView>>;
  /** Promoted releases of this image (`registry/repository`), for the floating tags that its recipes share. */
  promoted(image: string): Promise<readonly PromotedRelease[]>;
  /** Appends a finished test; the same line twice is written once. Answers the line with its `firstSeen`. */
  appendRun(line: FinishedRun): Promise<RunLine>;
  /**
   * Compare-and-swap of the recipe's intent: from absent (or from the expired one named by `replaces`) to this one,
   * only where the recipe still is as `revision` says. `changed`: it is not; read again and decide again.
   */
  takeIntent(
    recipe: string,
    intent: Intent,
    on: { readonly revision: Digest; readonly replaces?: string },
  ): Promise<'taken' | 'changed'>;
  /** Extends the lease to `expires` (RFC 3339). `lost`: the recipe's intent is not ours any more. */
  renewIntent(recipe: string, nonce: string, expires: string): Promise<'renewed' | 'lost'>;
  /** Removes the intent if it still is this one. */
  dropIntent(recipe: string, nonce: string): Promise<void>;
  /**
   * One write: the record, its audit line, and the intent removed. By the holder of the intent, or, for records that
   * move no tag, on a revision that has none. `lost`: the intent is another's, or the record is not the next one.
   */
  commit(
    recipe: string,
    record: CanonicalRecord,
    by: { readonly nonce: string } | { readonly revision: Digest },
  ): Promise<'written' | 'lost'>;
  /** Keeps what drift has seen (a JSON value). */
  writeBaseline(recipe: string, baseline: unknown): Promise<void>;
}
