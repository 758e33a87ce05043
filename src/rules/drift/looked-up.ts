import { type Finding, finding } from '../../outcome.ts';

/** The answer to a look-up, or who did not answer it. Not answered is never "no", and never "the same". */
export type Known<T> = { readonly known: T } | { readonly unanswered: string };

/** The finding that makes the verdict `error`: what stays open, and why. */
export function open(what: string, { unanswered }: { readonly unanswered: string }): Finding {
  return finding('cannot-determine', 'error', `${what} could not be looked up: ${unanswered}`);
}

/** A version and its content, as people read it in messages. */
export function short(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}
