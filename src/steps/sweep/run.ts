import { statfs } from 'node:fs/promises';
import { Failure } from '../../outcome.ts';
import type { ReasonCode } from '../../reasons.ts';
import { resultOf } from '../../rules/sweep/result.ts';
import { eachOf } from './each.ts';
import { type Due, type Sweep, tellResult } from './look.ts';
import { resultFrom, type Verdict, verdictOfFailure } from './verdict.ts';

/** Runs what is due, a bounded number at once, while there is time and room. */
export async function runAll(sweep: Sweep, due: readonly Due[]): Promise<void> {
  const { input } = sweep;
  const { settings, tools, log, now } = input;
  const least = bytesOf(settings.diskBudget);
  const started = now().getTime();
  const reasonToWait = async (): Promise<ReasonCode | undefined> => {
    if (now().getTime() - started > settings.timeBudget) return 'time-budget';
    const { bavail, bsize } = await statfs(input.workspace);
    return bavail * bsize < least ? 'disk-budget' : undefined;
  };
  await eachOf(due, Math.max(1, settings.concurrency), async ({ entry, release, known, attempts }) => {
    const startedAt = now();
    const tell = (verdict: Verdict): void =>
      tellResult(sweep, resultFrom(input, entry, startedAt, known, { attempts, ...verdict }));
    const wait = await reasonToWait();
    if (wait !== undefined) return tell({ outcome: 'deferred', reasons: [wait] });
    log.info(`${entry.recipe}: ${release.tag} is new.`);
    try {
      const end = await tools.release(entry.recipe, release.commit);
      if (end.reasons.includes('cancelled')) throw new Failure('cancelled');
      const outcome = resultOf(end);
      tell({
        attempts: attempts + 1,
        outcome,
        reasons: end.reasons,
        ...(outcome === 'promoted' ? { new: release.version.raw } : {}),
        ...(outcome === 'gated' ? { gate: end.reasons } : {}),
      });
    } catch (error) {
      tell(verdictOfFailure(error));
    }
  });
}

const UNITS: Readonly<Record<string, number>> = { '': 0, Ki: 1, Mi: 2, Gi: 3, Ti: 4 };

/** `2GiB` in bytes. */
function bytesOf(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*(|Ki|Mi|Gi|Ti)B?$/.exec(text.trim()) ?? [];
  if (number === undefined) {
    throw new Failure(
      'setting-invalid',
      `\`disk-budget\` is no size: ${JSON.stringify(text.slice(0, 40))}.`,
      {
        remedy: 'Write a number and a unit, for example `2GiB`.',
      },
    );
  }
  return Number(number) * 1024 ** (UNITS[unit] ?? 0);
}
