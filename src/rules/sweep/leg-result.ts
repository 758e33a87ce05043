import type { Candidate } from '../../dossier/schema.ts';
import { exitCodes, type OutcomeName } from '../../outcome.ts';
import { isReasonCode } from '../../reasons.ts';
import { at, isObject, textOf } from '../../untrusted/fields.ts';
import type { LineEnd } from './result.ts';

const SCHEMA = 'knowngood/leg/v1';

/** What a run of one recipe on another machine came to, as it says itself. */
export interface Leg {
  readonly recipe: string;
  readonly commit: string | undefined;
  readonly version: string | undefined;
  readonly end: LineEnd;
  /** RFC 3339 UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly run: string;
}

/** The file that a leg leaves: one JSON object. */
export function legText(of: {
  readonly recipe: string;
  readonly candidate: Pick<Candidate, 'commit' | 'version'> | undefined;
  readonly end: LineEnd;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly run: string;
}): string {
  const { recipe, candidate, end, startedAt, finishedAt, run } = of;
  const { commit, version } = candidate ?? {};
  return `${JSON.stringify({ schema: SCHEMA, recipe, commit, version, end, startedAt, finishedAt, run }, null, 2)}\n`;
}

/**
 * Reads what a leg left. Foreign code ran on that machine: whatever has another form is no result (`undefined`), and
 * what has the right one is still only what it says.
 */
export function readLeg(text: string): Leg | undefined {
  const value = parsed(text);
  const end = endIn(at(value, 'end'));
  const [recipe, startedAt, finishedAt, run] = ['recipe', 'startedAt', 'finishedAt', 'run'].map((name) =>
    shortText(at(value, name)),
  );
  if (at(value, 'schema') !== SCHEMA || end === undefined || recipe === undefined || run === undefined)
    return undefined;
  if (!isTime(startedAt) || !isTime(finishedAt)) return undefined;
  const commit = shortText(at(value, 'commit'));
  return { recipe, commit, version: shortText(at(value, 'version')), end, startedAt, finishedAt, run };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function endIn(value: unknown): LineEnd | undefined {
  const step = shortText(at(value, 'step'));
  const outcome = (Object.keys(exitCodes) as OutcomeName[]).find((name) => name === at(value, 'outcome'));
  const codes = at(value, 'reasons');
  if (!isObject(value) || step === undefined || outcome === undefined) return undefined;
  if (!Array.isArray(codes) || !codes.every(isReasonCode)) return undefined;
  const gate = at(value, 'gate');
  const [base, message, eligibleAt] = [value.base, value.message, value.eligibleAt].map(shortText);
  return {
    step,
    outcome,
    reasons: codes,
    ...(base === undefined ? {} : { base }),
    ...(message === undefined ? {} : { message }),
    ...(Array.isArray(gate) ? { gate: gate.filter(isReasonCode) } : {}),
    ...(isTime(eligibleAt) ? { eligibleAt } : {}),
  };
}

function isTime(text: string | undefined): text is string {
  return (
    text !== undefined &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text) &&
    !Number.isNaN(Date.parse(text))
  );
}

function shortText(value: unknown): string | undefined {
  return textOf(value)?.slice(0, 400);
}
