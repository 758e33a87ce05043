import type { Finding } from '../outcome.ts';
import type { ReasonCode } from '../reasons.ts';

/** One step of a tier with its time: one line for the person who watches. */
export interface Phase {
  readonly tier: string;
  /** `start 1.2.0`, `ready`, `check`, `stop`. */
  readonly name: string;
  readonly ms: number;
  readonly ok: boolean;
  readonly detail?: string;
}

export interface TierEnd {
  readonly name: string;
  readonly verdict: 'pass' | 'fail' | 'na' | 'inconclusive';
  readonly reason?: ReasonCode;
  readonly detail?: string;
  readonly startedAt: Date;
  readonly durationMs: number;
}

/** What went wrong, with what a person needs to see of it. All text below `detail` is untrusted, masked. */
export interface Trouble {
  readonly tier: string;
  readonly phase: string;
  readonly role: 'base' | 'candidate';
  readonly code: ReasonCode;
  readonly detail: string;
  /** Whose lines these are: a container's service, or a command. */
  readonly of?: string;
  readonly lines: readonly string[];
}

export interface BrokenBase {
  readonly version: string;
  readonly tag?: string;
  readonly why: string;
}

export interface TestRun {
  readonly tiers: readonly TierEnd[];
  readonly phases: readonly Phase[];
  readonly troubles: readonly Trouble[];
  readonly findings: readonly Finding[];
  /** Index in the given bases of the one that the upgrade was tested from. */
  readonly base?: number;
  readonly broken: readonly BrokenBase[];
  /** Whether the upgrade had an effect; absent where it was not looked at. */
  readonly effect?: boolean;
  /** What the candidate's services ran: image id and the reference that asked for it. */
  readonly ran: Readonly<Record<string, { readonly imageId: string; readonly reference: string }>>;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly run: string;
}
