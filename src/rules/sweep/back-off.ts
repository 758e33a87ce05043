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
 * could not tell are the machine's fault: after one the rest is as long as it was, and does not grow. A tag on
 * another commit starts afresh.
 */
export function backOff(
  log: readonly Attempt[],
  release: { readonly version: string; readonly commit: string },
  now: Date,
): BackOff {
  const tried = log.filter(({ version, commit }) => version === release.version && commit === release.commit);
  const attempts = tried.filter(({ verdict }) => verdict !== 'inconclusive').length;
  if (tried.length === 0) return { attempts };
  const last = Math.max(...tried.map(({ finishedAt }) => Date.parse(finishedAt)));
  const doublings = Math.min(30, Math.max(0, attempts - 1));
  const until = new Date(last + Math.min(LONGEST_MS, FIRST_MS * 2 ** doublings));
  return { attempts, ...(until > now ? { until } : {}) };
}
