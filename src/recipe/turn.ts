import { setImmediate } from 'node:timers/promises';
import { Failure } from '../outcome.ts';

/** Bytes of synchronous work after which signals and progress get their turn: well below 100 ms. */
const SHARE = 32 * 1024 * 1024;

/**
 * Reading whole files synchronously is fastest, and nothing else runs meanwhile. The function that is returned
 * counts the work, in bytes, and now and then lets others run; it fails with `cancelled` once `signal` aborted.
 */
export function turn(signal: AbortSignal | undefined): (work: number) => Promise<void> | undefined {
  let done = 0;
  return (work) => {
    done += work;
    if (done < SHARE) return undefined;
    done = 0;
    return pause(signal);
  };
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  if (signal?.aborted) throw new Failure('cancelled');
}
