import type { GateRow } from '../../dossier/schema.ts';
import { type ReasonCode, reasons } from '../../reasons.ts';
import type { Condition, Verdict } from './condition.ts';
import { conditions } from './conditions.ts';
import type { Snapshot } from './snapshot.ts';

export interface GateResult {
  /** The worst verdict of all conditions; `n/a` counts as pass. */
  readonly verdict: Exclude<Verdict, 'n/a'>;
  /** Every condition, in the order of the list. */
  readonly rows: readonly (GateRow & { readonly code: ReasonCode })[];
  /** Codes that do not hold, the worst first. */
  readonly failing: readonly ReasonCode[];
  /** Milliseconds since 1970 when the last temporary refusal ends, where that is known. */
  readonly eligibleAt?: number;
}

const severity: Readonly<Record<Verdict, number>> = {
  'n/a': 0,
  pass: 0,
  temporary: 1,
  unknown: 2,
  permanent: 3,
};

/**
 * Evaluates every condition on one snapshot, names every failure, and decides by the worst verdict: pass, temporary,
 * unknown (fails closed), permanent. Nothing stops at the first.
 */
export function evaluateGate(snapshot: Snapshot, list: readonly Condition[] = conditions): GateResult {
  const judged = list.map(({ code, judge }) => ({ code, answer: judge(snapshot) }));
  const failing = judged
    .filter(({ answer }) => severity[answer.verdict] > 0)
    .sort((a, b) => severity[b.answer.verdict] - severity[a.answer.verdict]);
  const worst = failing[0]?.answer.verdict;
  const ends = failing.flatMap(({ answer }) => answer.eligibleAt ?? []);
  return {
    verdict: worst === undefined || worst === 'n/a' ? 'pass' : worst,
    rows: judged.map(({ code, answer }) => ({
      code,
      verdict: answer.verdict,
      found: answer.found,
      remedy: severity[answer.verdict] === 0 ? '' : (answer.remedy ?? reasons[code].remedy),
    })),
    failing: failing.map(({ code }) => code),
    ...(ends.length === 0 ? {} : { eligibleAt: Math.max(...ends) }),
  };
}
