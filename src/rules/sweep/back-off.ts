/** First wait after an attempt that led to no promotion, and the longest, in milliseconds. */
const FIRST_MS = 2 * 3600_000;
const LONGEST_MS = 5 * 24 * 3600_000;

/** A line of the run log, as far as it counts here. */
export interface Attempt {
  readonly version: string;
  readonly commit: string;
  readonly verdict: 'green' | 'red' | 'inconclusive';
  /** RFC 3339 UTC. */
  readonly finishedAt: string;
}

export interface BackOff {
  /** Attempts at this version on this commit that told something. */
  readonly attempts: number;
  /** When the next one may be; absent where it may be now. */
  readonly until?: Date;
}

/**
 * How long a version rests after it was not promoted: 2 h, then twice as long each time, at most 5 days. Runs that
 * could not tell are the machine's fault and do not count; a tag on another commit starts afresh.
 */
export function backOff(
  log: readonly Attempt[],
  release: { readonly version: string; readonly commit: string },
  now: Date,
): BackOff {
  const told = log.filter(
    ({ version, commit, verdict }) =>
      version === release.version && commit === release.commit && verdict !== 'inconclusive',
  );
  const last = told
    .map(({ finishedAt }) => Date.parse(finishedAt))
    .sort((a, b) => a - b)
    .at(-1);
  if (last === undefined) return { attempts: 0 };
  const until = new Date(last + Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(30, told.length - 1)));
  return { attempts: told.length, ...(until > now ? { until } : {}) };
}
