import { Failure } from '../../outcome.ts';
import { factsOfEnd } from '../../rules/sweep/result.ts';
import { eachOf } from './each.ts';
import { engineGuard, type Guard } from './guards.ts';
import { type Due, type Sweep, tellResult } from './look.ts';
import { resultFrom, type Verdict, verdictOfFailure } from './verdict.ts';

/** Runs what is due on this machine, a bounded number at once, while nothing stands against it. */
export async function runAll(sweep: Sweep, due: readonly Due[]): Promise<void> {
  const { tools } = sweep.input;
  await eachDue(sweep, due, engineGuard(sweep), async ({ entry, release }) => {
    const end = await tools.release(entry.recipe, release.commit);
    if (end.reasons.includes('cancelled')) throw new Failure('cancelled');
    const facts = factsOfEnd(end);
    return { ...facts, ...(facts.outcome === 'promoted' ? { new: release.version.raw } : {}) };
  });
}

/** Gives each its result: what `act` says of it, or why it was not started. */
export async function eachDue(
  sweep: Sweep,
  due: readonly Due[],
  guard: Guard,
  act: (one: Due) => Promise<Verdict>,
): Promise<void> {
  const { input } = sweep;
  const most = Math.max(1, input.settings.concurrency);
  await eachOf(due, most, async (one) => {
    const { entry, release, known, attempts } = one;
    const startedAt = input.now();
    const tell = (verdict: Verdict): void =>
      tellResult(sweep, resultFrom(input, entry, startedAt, known, verdict));
    try {
      const reason = await guard();
      if (reason !== undefined) return tell({ outcome: 'deferred', reasons: [reason], attempts });
      input.log.info(`${entry.recipe}: ${release.tag} is new.`);
      tell({ attempts: attempts + 1, ...(await act(one)) });
    } catch (error) {
      tell({ attempts, ...verdictOfFailure(error) });
    }
  });
}
