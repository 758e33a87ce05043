import type { GateRow } from '../../dossier/schema.ts';
import { type ReasonCode, reasons } from '../../reasons.ts';
import type { Condition, Verdict } from './condition.ts';
import { conditions } from './conditions.ts';
import type { Snapshot } from './snapshot.ts';

/** A row as a run decides by it; `asks` says what holds where it passes, for people. */
export interface JudgedRow extends GateRow {
  readonly code: ReasonCode;
  readonly asks: string;
}

export interface GateResult {
  /** The worst verdict of all conditions; `n/a` counts as pass. */
  readonly verdict: Exclude<Verdict, 'n/a'>;
  /** Every condition, in the order of the list. */
  readonly rows: readonly JudgedRow[];
  /** Codes that do not hold, the worst first; `cannot-determine` for all that could not be looked at. */
  readonly failing: readonly ReasonCode[];
  /** Milliseconds since 1970 when the last temporary refusal ends, where that is known. */
  readonly eligibleAt?: number;
}

/** A condition that could not be looked at has not failed: for all of those there is `cannot-determine`. */
function isAnswer({ code, answer }: { code: ReasonCode; answer: { verdict: Verdict } }): boolean {
  return answer.verdict !== 'unknown' || code === 'cannot-determine';
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
  const judged = list.map(({ code, asks, judge }) => ({ code, asks, answer: judge(snapshot) }));
  const failing = judged
    .filter(({ answer }) => severity[answer.verdict] > 0)
    .sort((a, b) => severity[b.answer.verdict] - severity[a.answer.verdict]);
  const worst = failing[0]?.answer.verdict;
  const ends = failing.flatMap(({ answer }) => answer.eligibleAt ?? []);
  return {
    verdict: worst === undefined || worst === 'n/a' ? 'pass' : worst,
    rows: judged.map(({ code, asks, answer }) => ({
      code,
      asks,
      verdict: answer.verdict,
      found: answer.found,
      remedy: severity[answer.verdict] === 0 ? '' : (answer.remedy ?? reasons[code].remedy),
    })),
    failing: failing.filter(isAnswer).map(({ code }) => code),
    ...(ends.length === 0 ? {} : { eligibleAt: Math.max(...ends) }),
  };
}
