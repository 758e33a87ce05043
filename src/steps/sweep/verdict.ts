import { Failure } from '../../outcome.ts';
import type { SweepResult } from '../../rules/sweep/result.ts';
import type { FleetEntry } from '../../settings/fleet-file.ts';
import type { FreeStepInput } from '../step.ts';

/** What was learnt about a recipe on the way, for its result. */
export interface Known {
  /** The canonical version. */
  old: string | null;
  /** The newest release that was seen. */
  latest: string | null;
  mirror: SweepResult['mirror'];
}

export type Verdict = Pick<SweepResult, 'outcome' | 'reasons'> & Partial<SweepResult>;

/** The verdict of what failed for one recipe; only a cancellation ends the whole sweep. */
export function verdictOfFailure(error: unknown): Verdict {
  if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
  const outcome = error.outcome === 'skipped' ? 'skipped' : 'error';
  return { outcome, reasons: [error.code], message: error.message };
}

/** The whole result; the canonical is what it was, unless the verdict says another. */
export function resultFrom(
  { event, now }: FreeStepInput,
  { recipe }: FleetEntry,
  startedAt: Date,
  known: Known,
  verdict: Verdict,
): SweepResult {
  return {
    recipe,
    new: known.old,
    gate: [],
    base: null,
    attempts: 0,
    nextEligibleAt: null,
    ...known,
    ...verdict,
    startedAt: startedAt.toISOString(),
    finishedAt: now().toISOString(),
    run: event.run.id,
  };
}
