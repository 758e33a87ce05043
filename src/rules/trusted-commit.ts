import type { RunContext } from '../dossier/schema.ts';

/** Where a commit that is built or tested came from. */
export interface CommitOrigin {
  readonly runContext: RunContext;
  /** Of a fork's pull request. */
  readonly fork: boolean;
  /** Named by a setting: a comment or a build parameter brought it here. */
  readonly given: boolean;
}

/** Whether it was written by somebody who may write to the repository; else anybody may have. */
export function isTrustedCommit({ runContext, fork, given }: CommitOrigin): boolean {
  return runContext === 'release' || (!fork && !given);
}
