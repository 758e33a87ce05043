import { Failure } from '../outcome.ts';

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Whether this is a full object id, SHA-1 or SHA-256, in lower case. */
export function isObjectId(text: string): boolean {
  return COMMIT.test(text);
}

/** The id again, or a Failure: what is no full id never reaches git, where it could be an option or an expression. */
export function objectId(text: string): string {
  if (isObjectId(text)) return text;
  throw new Failure('git-failed', `Not a full commit id: ${JSON.stringify(text.slice(0, 60))}.`, {
    remedy: 'Use all 40 hex digits of the commit.',
  });
}

/**
 * Whether git accepts this as a full ref name (the rules of git-check-ref-format(1)). Names that begin with `-`
 * or hold shell characters are legal; that is why only full names in argv ever stand for a ref.
 */
export function isRefName(ref: string): boolean {
  return (
    ref.startsWith('refs/') &&
    !/[\u0000-\u0020\u007f~^:?*[\\]/.test(ref) &&
    !/\.\.|@\{|\/\/|\.$|\/$/.test(ref) &&
    ref.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))
  );
}

/** `refs/heads/<branch>`; a Failure where that is no ref name. */
export function branchRef(branch: string): string {
  const ref = `refs/heads/${branch}`;
  if (isRefName(ref)) return ref;
  throw new Failure('git-failed', `Not a branch name: ${JSON.stringify(branch.slice(0, 60))}.`, {
    remedy: 'Correct the name of the branch.',
  });
}
