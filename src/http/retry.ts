import { Failure } from '../outcome.ts';
import type { Clock } from './clock.ts';
import type { Retry, RetryOptions } from './http.ts';

export interface Again {
  /** Why another try makes sense, in a few words: `answered 503`, `connection reset`. */
  readonly why: string;
}

/** What one try gave: an end, or a reason for another try together with what counts if there is none left. */
export type Attempt<T> =
  | { readonly done: T }
  | (Again & { readonly again: true; readonly afterMs?: number; readonly last: () => T });

export const defaultTries = 6;
export const defaultDeadline = 5 * 60_000;
/** A server can make us wait, but not for longer than this. */
export const longestRetryAfter = 120_000;

/** Before try n+1: half a second doubled each time, at most 20 s, jittered down to half so that jobs spread out. */
export function backoff(attempt: number, random: number): number {
  return Math.min(20_000, 500 * 2 ** (attempt - 1)) * (0.5 + random / 2);
}

/** Milliseconds that a `Retry-After` header asks for (seconds, or a date: RFC 9110, 10.2.3), at most two minutes. */
export function retryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(seconds) ? undefined : Math.min(longestRetryAfter, Math.max(0, seconds));
}

/** 408, 429 and server errors pass, except those that say "never". */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && ![501, 505, 511].includes(status));
}

/** Runs `once` until it is done, its tries or its time are used up, or the signal aborts. */
export async function retrying<T>(
  options: RetryOptions,
  tools: { readonly clock: Clock; readonly onRetry?: ((retry: Retry) => void) | undefined },
  once: (attempt: number, leftMs: number) => Promise<Attempt<T>>,
): Promise<T> {
  const tries = options.tries ?? defaultTries;
  const end = tools.clock.now() + (options.deadline ?? defaultDeadline);
  for (let attempt = 1; ; attempt++) {
    if (options.signal?.aborted === true) throw new Failure('cancelled');
    const result = await once(attempt, Math.max(1, end - tools.clock.now()));
    if ('done' in result) return result.done;
    const waitMs = Math.round(Math.max(backoff(attempt, tools.clock.random()), result.afterMs ?? 0));
    if (attempt >= tries || tools.clock.now() + waitMs >= end) return result.last();
    tools.onRetry?.({ what: options.what, why: result.why, attempt, tries, waitMs });
    await tools.clock.sleep(waitMs, options.signal);
  }
}
