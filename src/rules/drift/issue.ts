/** The open issue that tells of drift, as the forge has it. */
export interface DriftIssue {
  readonly number: number;
  readonly body: string;
  /** RFC 3339. */
  readonly updatedAt: string;
}

export interface IssueReport {
  /** Nothing is left to tell: the issue is over. */
  readonly clean: boolean;
  /** A look-up stayed open: then nothing is closed. */
  readonly incomplete: boolean;
  /** Equal for equal findings. */
  readonly fingerprint: string;
  /** Equal for an equal set of findings that refuse. */
  readonly urgency: string;
}

export type IssuePlan =
  | { readonly do: 'nothing'; readonly why: 'clean' | 'unchanged' | 'throttled' | 'incomplete' }
  | { readonly do: 'open' }
  | { readonly do: 'update'; readonly number: number }
  | { readonly do: 'close'; readonly number: number };

/** An issue is rewritten at most so often, unless what refuses has changed. */
const THROTTLE_MS = 4 * 60 * 60_000;

/** Begins the line of an issue's body that says what it told last. */
const STATE = '<!-- knowngood:drift-state ';

/** The line for an issue's body by which the next run knows what was told. */
export function stateLine({ fingerprint, urgency }: IssueReport): string {
  return `${STATE}${fingerprint} ${urgency} -->`;
}

/** One issue, updated in place, throttled, closed when nothing is left. */
export function planIssue(existing: DriftIssue | undefined, report: IssueReport, now: number): IssuePlan {
  if (existing === undefined) return report.clean ? { do: 'nothing', why: 'clean' } : { do: 'open' };
  const { number, body, updatedAt } = existing;
  if (report.clean) return report.incomplete ? { do: 'nothing', why: 'incomplete' } : { do: 'close', number };
  const at = body.indexOf(STATE);
  const [fingerprint, urgency] = at < 0 ? [] : body.slice(at + STATE.length).split(' ', 2);
  if (fingerprint === report.fingerprint) return { do: 'nothing', why: 'unchanged' };
  const recent = now - Date.parse(updatedAt) < THROTTLE_MS;
  if (recent && urgency === report.urgency) return { do: 'nothing', why: 'throttled' };
  return { do: 'update', number };
}
