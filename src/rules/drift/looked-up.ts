import { type Finding, finding } from '../../outcome.ts';

/** The answer to a look-up, or who did not answer it. Not answered is never "no", and never "the same". */
export type Known<T> = { readonly known: T } | Unanswered;

export interface Unanswered {
  /** Why, in words. */
  readonly unanswered: string;
  /** The host that gave no answer, where it is known. */
  readonly host?: string;
  /** Equal for what has one cause: the same host in the same trouble. */
  readonly cause?: string;
  readonly remedy?: string;
}

/** The finding that makes the verdict `error`: what stays open, and why. Told together with others of its cause. */
export interface OpenQuestion extends Finding {
  readonly open: Unanswered & { readonly what: string };
}

export function open(what: string, why: Unanswered): OpenQuestion {
  const message = `${what} could not be looked up: ${why.unanswered}`;
  const more = why.remedy === undefined ? {} : { remedy: why.remedy };
  return { ...finding('cannot-determine', 'error', message, more), open: { ...why, what } };
}

export function isOpenQuestion(one: Finding): one is OpenQuestion {
  return 'open' in one;
}

/** A version and its content, as people read it in messages. */
export function short(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}
