import { statfs } from 'node:fs/promises';
import { Failure } from '../../outcome.ts';
import type { ReasonCode } from '../../reasons.ts';
import type { Sweep } from './look.ts';

/** How long a sweep waits in all for runs of others to end, and how often it looks. */
const PATIENCE_MS = 15 * 60_000;
const LOOK_MS = 5000;

/** Says why the next recipe may not start now; `undefined` where it may. */
export type Guard = () => Promise<ReasonCode | undefined>;

/** Time only, from the sweep's beginning: where nothing runs here. */
export function timeGuard({ input: { settings, now }, began }: Pick<Sweep, 'input' | 'began'>): Guard {
  const end = began.getTime() + settings.timeBudget;
  return async () => (now().getTime() >= end ? 'time-budget' : undefined);
}

/**
 * Time, room, and nobody else on this engine: two tests at once would measure each other. What another run does is
 * waited for, within the time budget and not for ever.
 */
export function engineGuard(sweep: Pick<Sweep, 'input' | 'began'>): Guard {
  const { input } = sweep;
  const { settings, tools, log, now, workspace, signal } = input;
  const isLate = timeGuard(sweep);
  const least = bytesOf(settings.diskBudget);
  let patience = Math.min(PATIENCE_MS, settings.timeBudget);
  return async () => {
    for (;;) {
      const late = await isLate();
      if (late !== undefined) return late;
      const { bavail, bsize } = await statfs(workspace);
      if (bavail * bsize < least) return 'disk-budget';
      const others = await tools.inFlight();
      if (others.length === 0) return undefined;
      if (patience <= 0) return 'in-flight';
      log.info(`Waiting: ${others.join(', ')} is being tested on this engine.`);
      const from = now().getTime();
      await tools.clock.sleep(Math.min(LOOK_MS, patience), signal);
      patience -= Math.max(1, now().getTime() - from);
    }
  };
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
