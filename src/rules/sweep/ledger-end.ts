import { isReasonCode } from '../../reasons.ts';
import type { SweepResult } from './result.ts';

interface Finished {
  readonly commit: string;
  readonly verdict: 'green' | 'red' | 'inconclusive';
  readonly reasons: readonly string[];
  readonly base: string | null;
  /** RFC 3339 UTC. */
  readonly finishedAt: string;
}

/**
 * What a run that somebody else made of a commit came to, by the ledger: canonical now, or the last test that was
 * finished since then. `undefined`: it left nothing there.
 */
export function endInLedger({
  record,
  runs,
  commit,
  since,
}: {
  readonly record: { readonly commit: string } | undefined;
  readonly runs: readonly Finished[];
  readonly commit: string;
  readonly since: Date;
}): Pick<SweepResult, 'outcome' | 'reasons' | 'base' | 'gate'> | undefined {
  const last = runs.findLast((run) => run.commit === commit && Date.parse(run.finishedAt) >= since.getTime());
  const base = last?.base ?? null;
  if (record?.commit === commit) return { outcome: 'promoted', reasons: ['promoted'], base, gate: [] };
  if (last === undefined) return undefined;
  const reasons = last.reasons.filter(isReasonCode);
  // Green and not promoted: the gate said no, and the build says which condition.
  const outcome = last.verdict === 'green' ? 'gated' : last.verdict;
  return { outcome, reasons, base, gate: [] };
}
