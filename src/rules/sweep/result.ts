import type { OutcomeName } from '../../outcome.ts';
import type { ReasonCode } from '../../reasons.ts';

export const sweepOutcomes = [
  'promoted',
  'red',
  'inconclusive',
  'gated',
  'skipped',
  'deferred',
  'error',
] as const;

export type SweepOutcome = (typeof sweepOutcomes)[number];

/** What a sweep says about one recipe. Every listed recipe gets exactly one. */
export interface SweepResult {
  readonly recipe: string;
  /** The canonical version before and after. */
  readonly old: string | null;
  readonly new: string | null;
  /** The newest release that was seen. */
  readonly latest: string | null;
  readonly outcome: SweepOutcome;
  readonly reasons: readonly ReasonCode[];
  /** Conditions of the gate that did not hold. */
  readonly gate: readonly string[];
  /** Version of the upgrade base. */
  readonly base: string | null;
  readonly attempts: number;
  /** RFC 3339 UTC; null where nothing is waited for. */
  readonly nextEligibleAt: string | null;
  /** How the mirror is: null where the recipe is none. */
  readonly mirror: 'fresh' | 'stale' | null;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly run: string;
  /** For people, where the reason alone does not say it. */
  readonly message?: string;
}

/** How the line over one recipe ended: the step that decided, its outcome and its reasons. */
export interface LineEnd {
  readonly step: string;
  readonly outcome: OutcomeName;
  readonly reasons: readonly ReasonCode[];
  /** What failed, in words. */
  readonly message?: string;
  /** Version of the upgrade base. */
  readonly base?: string;
  /** Conditions of the gate that did not hold. */
  readonly gate?: readonly string[];
  /** RFC 3339 UTC: when a condition that only waits may hold. */
  readonly eligibleAt?: string;
}

/** The result of a recipe by the end of its line. What is not foreseen is an error, never a skip. */
export function resultOf({ step, outcome, reasons }: LineEnd): SweepOutcome {
  if (step === 'promote' && outcome === 'done') return reasons.includes('promoted') ? 'promoted' : 'error';
  if (step === 'promote' && outcome === 'refused') return 'gated';
  if (step === 'promote' && outcome === 'skipped')
    return reasons.some((reason) => reason === 'soaking' || reason === 'concurrent-promotion')
      ? 'gated'
      : 'skipped';
  if (step === 'test' && outcome === 'refused') return 'red';
  if (step === 'test' && outcome === 'error' && !reasons.includes('cancelled')) return 'inconclusive';
  if (outcome === 'refused') return 'gated';
  return outcome === 'skipped' ? 'skipped' : 'error';
}

/** What the end of a line says of a recipe's result. */
export function factsOfEnd(
  end: LineEnd,
): Pick<SweepResult, 'outcome' | 'reasons' | 'gate' | 'base' | 'nextEligibleAt' | 'message'> {
  const { reasons, message, base = null, eligibleAt = null } = end;
  const outcome = resultOf(end);
  return {
    outcome,
    reasons,
    gate: end.gate ?? (outcome === 'gated' ? reasons : []),
    base,
    nextEligibleAt: eligibleAt,
    ...(message === undefined ? {} : { message }),
  };
}

/** How many of each; the sum is the number of results. */
export function countResults(results: readonly SweepResult[]): Readonly<Record<SweepOutcome, number>> {
  const counts = Object.fromEntries(sweepOutcomes.map((name) => [name, 0])) as Record<SweepOutcome, number>;
  for (const { outcome } of results) counts[outcome] += 1;
  return counts;
}

/** The recipes that have no result, and those that have several or are not listed: all must be none. */
export function unaccounted(listed: readonly string[], results: readonly SweepResult[]): string[] {
  const seen = new Map<string, number>();
  for (const { recipe } of results) seen.set(recipe, (seen.get(recipe) ?? 0) + 1);
  return [...new Set([...listed, ...seen.keys()])].filter(
    (recipe) => seen.get(recipe) !== 1 || !listed.includes(recipe),
  );
}

/** Lists of at most `size` entries: GitHub starts at most 256 jobs of one matrix. */
export function inChunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
