import type { TierVerdict } from '../dossier/schema.ts';
import type { OutcomeName } from '../outcome.ts';
import type { ReasonCode } from '../reasons.ts';

export type Verdict = 'green' | 'red' | 'inconclusive';

/** A tier as far as the verdict looks at it. */
export interface JudgedTier {
  readonly name: string;
  readonly verdict: TierVerdict;
  readonly reason?: ReasonCode;
}

/** Why a tier may be left out: the reviewed declaration, and what step-back answers. The gate judges them again. */
const NA_REASONS: ReadonlySet<string> = new Set<ReasonCode>([
  'expected-na',
  'not-requested',
  'first-release',
  'no-release',
  'no-older-release',
  'no-usable-older',
  'all-older-known-broken',
  'target-unparseable',
]);

/**
 * The verdict of a test run. Green only if every tier passed or does not apply for a reason that says so, at least
 * one passed, and no base turned out to be broken: that an older base did is for a person to confirm, by an entry
 * under `known-broken`. A failure of the candidate outweighs what could not be told.
 */
export function verdictOf(
  tiers: readonly JudgedTier[],
  brokenBases: number,
): { readonly verdict: Verdict; readonly reasons: readonly ReasonCode[] } {
  const failed = tiers.filter(({ verdict }) => verdict === 'fail');
  const open = tiers.filter(
    ({ verdict, reason }) =>
      verdict === 'inconclusive' || (verdict === 'na' && !NA_REASONS.has(reason ?? '')),
  );
  const notes: ReasonCode[] = brokenBases > 0 ? ['base-broken'] : [];
  const doubts = open.flatMap(({ reason }): ReasonCode[] =>
    reason === undefined || reason === 'tier-not-run' ? [] : [reason],
  );
  if (failed.length > 0) {
    return {
      verdict: 'red',
      reasons: distinct([...failed.map(({ reason }) => reason ?? 'check-failed'), ...doubts, ...notes]),
    };
  }
  if (open.length > 0) {
    return { verdict: 'inconclusive', reasons: distinct([...doubts, ...notes, ...unexplained(doubts)]) };
  }
  if (notes.length > 0) return { verdict: 'inconclusive', reasons: notes };
  if (!tiers.some(({ verdict }) => verdict === 'pass')) {
    return { verdict: 'inconclusive', reasons: ['nothing-to-check'] };
  }
  return { verdict: 'green', reasons: ['green'] };
}

/** Green is done, red is a refusal, what could not be told is an error. */
export function outcomeOfVerdict(verdict: Verdict): OutcomeName {
  return verdict === 'green' ? 'done' : verdict === 'red' ? 'refused' : 'error';
}

function unexplained(doubts: readonly ReasonCode[]): ReasonCode[] {
  return doubts.length === 0 ? ['cannot-determine'] : [];
}

function distinct(codes: readonly ReasonCode[]): ReasonCode[] {
  return [...new Set(codes)];
}
