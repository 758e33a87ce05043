import { Failure } from '../outcome.ts';

/** A time by which something has to be over, as a signal whose reason is the Failure to report. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Milliseconds that are left. */
  left(): number;
  clear(): void;
}

/** Ends with `deadline` after `ms`, or earlier with the outer signal's own reason. Output never extends it. */
export function deadline(outer: AbortSignal, ms: number, what: string, now: () => number): Deadline {
  const own = new AbortController();
  const end = now() + ms;
  const timer = setTimeout(
    () => own.abort(new Failure('deadline', `${what} was not over after ${Math.round(ms / 100) / 10} s.`)),
    ms,
  );
  return {
    signal: AbortSignal.any([outer, own.signal]),
    left: () => Math.max(0, end - now()),
    clear: () => clearTimeout(timer),
  };
}

/** Waits; rejects at once with the signal's reason. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}

/**
 * Awaits work, but no longer than the signal lets it: an engine that hangs must not hold up the end of the run. What
 * the abandoned call still makes is found by clean-up.
 */
export async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop: (() => void) | undefined;
  const ended = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, ended]);
  } catch (error) {
    // Whatever the interrupted call said of itself, the reason is why it was interrupted.
    throw signal.aborted ? signal.reason : error;
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}
