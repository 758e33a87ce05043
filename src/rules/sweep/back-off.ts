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
  /** Version of the program that tried. */
  readonly harness?: string | undefined;
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
 * another commit starts afresh, and so does another major version of this program (`harness`), which may test otherwise;
 * where either version is not known, an attempt counts.
 */
export function backOff(
  log: readonly Attempt[],
  release: { readonly version: string; readonly commit: string },
  { now, harness }: { readonly now: Date; readonly harness: string },
): BackOff {
  const tried = log.filter(
    ({ version, commit, harness: its }) =>
      version === release.version && commit === release.commit && !isOtherMajor(its, harness),
  );
  const attempts = tried.filter(({ verdict }) => verdict !== 'inconclusive').length;
  if (tried.length === 0) return { attempts };
  const last = Math.max(...tried.map(({ finishedAt }) => Date.parse(finishedAt)));
  const doublings = Math.min(30, Math.max(0, attempts - 1));
  const until = new Date(last + Math.min(LONGEST_MS, FIRST_MS * 2 ** doublings));
  return { attempts, ...(until > now ? { until } : {}) };
}

function isOtherMajor(a: string | undefined, b: string): boolean {
  const [left, right] = [a, b].map((text) => /^(\d+)\./.exec(text ?? '')?.[1]);
  return left !== undefined && right !== undefined && left !== right;
}
