import type { ReasonCode } from '../reasons.ts';
import type { CommentCommand } from './comment.ts';

/** Everything that decides whether a comment may start a run, asked from the forge; nothing of a payload. */
export interface AdmissionFacts {
  readonly command: CommentCommand;
  /** What the event says happened to the comment. */
  readonly action: 'created' | 'edited' | 'deleted' | 'other';
  readonly comment: { readonly edited: boolean; readonly byBot: boolean; readonly botAllowed: boolean };
  /** Of the comment's author; `unknown` where the forge did not say, which is "no". */
  readonly permission: 'none' | 'read' | 'write' | 'admin' | 'unknown';
  /** Absent where the comment is not on a pull request. */
  readonly pull?: {
    readonly open: boolean;
    readonly locked: boolean;
    readonly head: string;
    /** The head's repository is another one, or is gone. */
    readonly fork: boolean;
    /** Of the author of the pull request. */
    readonly authorPermission: 'none' | 'read' | 'write' | 'admin' | 'unknown';
    /** The pull request changes files that decide how it is tested. */
    readonly changesHarness: boolean;
  };
  /** A run of this head is under way. */
  readonly running: boolean;
  /** Commands of the last hour, this one included. */
  readonly asked: { readonly onPullRequest: number; readonly byUser: number };
}

export type Admission =
  | {
      readonly verdict: 'admitted';
      readonly commit: string;
      readonly trusted: boolean;
      readonly notes: readonly ReasonCode[];
    }
  | { readonly verdict: 'refused'; readonly reason: ReasonCode }
  /** Not for us: nothing is written anywhere. */
  | { readonly verdict: 'silent'; readonly reason: ReasonCode };

/** Commands per hour. */
export const mostAsked = { onPullRequest: 10, byUser: 30 } as const;

/**
 * Decides about a comment. Who may command is asked first, so that a stranger learns nothing but that; then what is to
 * be tested. Trusted is a run only where head and author are the project's own.
 */
export function admit(facts: AdmissionFacts): Admission {
  const { command, comment, pull } = facts;
  if (command.kind === 'none' || facts.action !== 'created') return silent('not-testme');
  // A bot that answers bots never ends.
  if (comment.byBot && !comment.botAllowed) return silent('not-testme');
  if (pull === undefined) return refused('not-a-pull-request');
  if (!comment.botAllowed && facts.permission !== 'write' && facts.permission !== 'admin')
    return refused('denied-permission');
  if (command.kind === 'quoted') return refused('quoted-command');
  if (comment.edited) return refused('comment-edited');
  if (!pull.open) return refused('pull-request-closed');
  if (pull.locked) return refused('pull-request-locked');
  if (command.kind === 'short-commit') return refused('sha-required');
  if (command.kind === 'unknown-argument') return refused('unknown-argument');
  const trusted = !pull.fork && (pull.authorPermission === 'write' || pull.authorPermission === 'admin');
  if (command.commit === undefined && !trusted) return refused('sha-required');
  if (command.commit !== undefined && command.commit !== pull.head) return refused('head-moved');
  if (!trusted && pull.changesHarness) return refused('harness-changed');
  if (facts.asked.onPullRequest > mostAsked.onPullRequest || facts.asked.byUser > mostAsked.byUser)
    return refused('rate-limited');
  if (facts.running) return refused('busy');
  return {
    verdict: 'admitted',
    commit: pull.head,
    trusted,
    notes: command.quick ? ['warm-unavailable'] : [],
  };
}

const refused = (reason: ReasonCode): Admission => ({ verdict: 'refused', reason });
const silent = (reason: ReasonCode): Admission => ({ verdict: 'silent', reason });

/** A commit status as the forge has it, for the rule below. */
export interface StatusLine {
  readonly id: number;
  readonly context: string;
  readonly state: 'pending' | 'success' | 'failure' | 'error';
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A run that died without a word holds its commit this long. */
const LONGEST_RUN_MS = 6 * 3_600_000;

/**
 * The `pending` statuses of our context since its last final state, oldest first. The first of them holds the commit:
 * forges have no compare-and-swap on statuses, but they order them, so of two runs that start at once both write, both
 * read, and only the one whose `pending` came first goes on.
 */
export function pendingSince<T extends StatusLine>(
  statuses: readonly T[],
  context: string,
  now: number,
): readonly T[] {
  const ours = statuses.filter((status) => status.context === context).toSorted((a, b) => a.id - b.id);
  const lastFinal = ours.findLastIndex((status) => status.state !== 'pending');
  return ours.slice(lastFinal + 1).filter((status) => now - status.at < LONGEST_RUN_MS);
}
