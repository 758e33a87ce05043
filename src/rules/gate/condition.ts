import type { ReasonCode } from '../../reasons.ts';
import type { Known, Snapshot } from './snapshot.ts';

export type Verdict = 'pass' | 'n/a' | 'temporary' | 'unknown' | 'permanent';

/** What one condition says about a snapshot. */
export interface Answer {
  readonly verdict: Verdict;
  /** What was found, for people; may hold text of others. */
  readonly found: string;
  /** What to do, where the code's own remedy is not the best one. */
  readonly remedy?: string;
  /** Milliseconds since 1970: when a temporary answer ends, where that is known. */
  readonly eligibleAt?: number;
}

/** One thing that must hold. To add one, add its file and its line in `conditions.ts`. */
export interface Condition {
  /** The code of its failure. */
  readonly code: ReasonCode;
  /** What holds where it passes, for people. */
  readonly asks: string;
  readonly judge: (snapshot: Snapshot) => Answer;
}

export const pass = (found = ''): Answer => ({ verdict: 'pass', found });
export const notApplicable = (found: string): Answer => ({ verdict: 'n/a', found });
/** It does not hold, and will not by waiting. */
export const no = (found: string, remedy?: string): Answer => ({
  verdict: 'permanent',
  found,
  ...(remedy === undefined ? {} : { remedy }),
});
/** It does not hold yet. */
export const notYet = (found: string, eligibleAt?: number): Answer => ({
  verdict: 'temporary',
  found,
  ...(eligibleAt === undefined ? {} : { eligibleAt }),
});

/** Judges the answer to a look-up; where there was none the condition stays open, which never passes. */
export function judgeKnown<T>(known: Known<T>, judge: (value: T) => Answer): Answer {
  return 'known' in known
    ? judge(known.known)
    : { verdict: 'unknown', found: `not answered: ${known.unanswered}` };
}

/** A commit as people read it. */
export const short = (commit: string): string => commit.slice(0, 12);
