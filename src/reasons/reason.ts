/**
 * What a reason code means for a step that answers with it:
 *
 * - `good`    the step did its work, or chose a base: outcome `done`
 * - `skip`    not applicable here: outcome `skipped`
 * - `refusal` the step looked and the answer is no: outcome `refused`
 * - `failure` the step could not tell, or was asked for something wrong: outcome `error`
 * - `note`    something worth saying beside the answer; never an outcome of its own
 * - `drift`   a finding of the drift checks; `fail-on` decides whether it refuses
 */
export type ReasonClass = 'good' | 'skip' | 'refusal' | 'failure' | 'note' | 'drift';

/** One reason code, as people read it: one sentence of fact, one of what to do about it. */
export interface Reason {
  readonly class: ReasonClass;
  readonly sentence: string;
  readonly remedy: string;
}

export type ReasonTable = Readonly<Record<string, Reason>>;

type Entry = Reason;
const make =
  (kind: ReasonClass) =>
  (sentence: string, remedy = 'Nothing to do.'): Entry => ({ class: kind, sentence, remedy });

export const good = make('good');
export const skip = make('skip');
export const refusal = make('refusal');
export const failure = make('failure');
export const note = make('note');
export const drift = make('drift');
