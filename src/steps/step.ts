import type { Candidate, Dossier, RunContext, SectionName } from '../dossier/schema.ts';
import type { Event, HostName, Log } from '../hosts/host.ts';
import type { Failure, Finding, Outcome } from '../outcome.ts';
import type { Settings, StepName } from '../settings/schema.ts';
import type { Tools } from './tools.ts';

/** What every step is given. Adapters come from `tools`, each constructed at first use. */
export interface StepInput {
  readonly settings: Settings;
  readonly event: Event;
  readonly host: HostName;
  readonly log: Log;
  readonly tools: Tools;
  readonly dossier: Dossier;
  readonly candidate: Candidate;
  readonly runContext: RunContext;
  /** Absolute path of the checkout. */
  readonly workspace: string;
  /** Absolute path of this recipe's folder in knowngood-out; exists. */
  readonly out: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** Steps that look at no candidate are given none, and no dossier. */
export type FreeStepInput = Omit<StepInput, 'dossier' | 'candidate' | 'runContext' | 'out'> & {
  /** Absolute path of knowngood-out; exists. */
  readonly out: string;
};

export interface StepResult extends Outcome {
  /** By kebab-case name as in the contract; identifiers or JSON. An absent value is left out. */
  readonly outputs: Readonly<Record<string, string | undefined>>;
  /** What this step adds to the dossier. */
  readonly section?: { readonly [K in SectionName]?: Dossier[K] };
  /** Findings besides the answer: annotated where the host can. */
  readonly findings?: readonly Finding[];
  /** Markdown for the summary; untrusted text in code spans. */
  readonly summary?: string;
  /** Label and value for Drone's card. */
  readonly facts?: readonly (readonly [string, string])[];
}

interface Named {
  readonly name: StepName;
}

/**
 * A step about a candidate. `needs`: the sections it cannot do without, for this candidate; one that was skipped
 * makes this step skipped too, for the same reason.
 */
export interface CandidateStep extends Named {
  readonly about: 'candidate';
  readonly needs: (candidate: Candidate) => readonly SectionName[];
  /** With these settings it finds what it needs somewhere else where no step of this run has written it. */
  readonly finds?: { readonly with: (settings: Settings) => boolean; readonly hint: string };
  run(input: StepInput): Promise<StepResult>;
}

/** A step about something else: an event, a fleet, a record. */
export interface FreeStep extends Named {
  readonly about: 'project';
  run(input: FreeStepInput): Promise<StepResult>;
  /** What it does instead where knowngood-out is not to be used, for the reason given; absent: it fails. */
  withoutOut?(input: Omit<FreeStepInput, 'out'>, failure: Failure): Promise<StepResult>;
}

export type Step = CandidateStep | FreeStep;
