import type { RunContext } from '../dossier/schema.ts';

/** What decides whether a release is being released: the event, and what the candidate is. */
export interface RunContextFacts {
  /** The setting: a person's word counts, but only to make less of a run, never to make a change a release. */
  readonly asked: 'auto' | 'release' | 'change';
  readonly event: 'tag' | 'push' | 'pull-request' | 'comment' | 'dispatch' | 'cron' | 'promote' | 'other';
  /** The candidate's commit carries a release tag. */
  readonly isRelease: boolean;
  /** The settings `candidate` or `pull-request` name foreign bytes. */
  readonly candidateGiven: boolean;
}

/**
 * `release` where a release tag is being released or swept, `change` in every other case. A pull request or a given
 * candidate is always a change: a setting cannot raise it.
 */
export function runContextOf({ asked, event, isRelease, candidateGiven }: RunContextFacts): RunContext {
  if (asked === 'change' || candidateGiven || event === 'pull-request' || event === 'comment')
    return 'change';
  if (asked === 'release') return 'release';
  const releasing = event === 'tag' || event === 'dispatch' || event === 'cron' || event === 'promote';
  return releasing && isRelease ? 'release' : 'change';
}
