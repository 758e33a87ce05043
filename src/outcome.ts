import { type ReasonCode, reasons } from './reasons.ts';

export type OutcomeName = 'done' | 'skipped' | 'refused' | 'error';

/** The process's exit code for each outcome; part of the contract. */
export const exitCodes: Readonly<Record<OutcomeName, number>> = { done: 0, skipped: 0, refused: 1, error: 2 };

/** How a step ended: its outcome and why, the most important reason first. */
export interface Outcome {
  readonly outcome: OutcomeName;
  readonly reasons: readonly ReasonCode[];
}

export type Level = 'error' | 'warning' | 'info';

/** Something a person should know, with the place it stands in where there is one (1-based line and column). */
export interface Finding {
  readonly code: ReasonCode;
  readonly level: Level;
  readonly message: string;
  readonly remedy: string;
  readonly at?: { readonly file: string; readonly line?: number; readonly column?: number };
  readonly expected?: string;
  readonly found?: string;
  readonly replacement?: string;
}

/** A finding of this code, with its remedy from the table unless a better one is known. */
export function finding(
  code: ReasonCode,
  level: Level,
  message: string,
  more: Partial<Omit<Finding, 'code' | 'level' | 'message'>> = {},
): Finding {
  return { code, level, message, remedy: more.remedy ?? reasons[code].remedy, ...more };
}

/**
 * The one error class. `message` says what is wrong, in words for the person who reads the log;
 * `remedy` says what to do. The outcome follows from the code's class: a refusal is `refused`,
 * a skip is `skipped`, all else is `error`, so that an unknown never reads as "no".
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: ReasonCode;
  readonly remedy: string;
  readonly outcome: OutcomeName;
  readonly findings: readonly Finding[];
  /** The host that failed us, where one did. */
  readonly host: string | undefined;

  constructor(
    code: ReasonCode,
    message?: string,
    more: {
      remedy?: string;
      cause?: unknown;
      findings?: readonly Finding[];
      outcome?: OutcomeName;
      host?: string;
    } = {},
  ) {
    super(message ?? reasons[code].sentence, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.remedy = more.remedy ?? reasons[code].remedy;
    this.outcome = more.outcome ?? outcomeOf(code);
    this.findings = more.findings ?? [];
    this.host = more.host;
  }
}

function outcomeOf(code: ReasonCode): OutcomeName {
  const kind = reasons[code].class;
  return kind === 'refusal' ? 'refused' : kind === 'skip' ? 'skipped' : 'error';
}
