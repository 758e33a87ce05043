import { good, note, skip } from './reason.ts';

/** Codes of `testme` and `report`. Refusals of a comment are `skipped`: they were answered, and nothing broke. */
export const comment = {
  admitted: good('The run may start.'),
  'not-testme': skip('This event is no command for us.'),
  'not-a-pull-request': skip(
    'The comment is not on a pull request.',
    'Comment on the pull request that is to be tested.',
  ),
  'pull-request-closed': skip('The pull request is closed.', 'Open it again, or open a new one.'),
  'pull-request-locked': skip('The pull request is locked.', 'Unlock it first.'),
  'denied-permission': skip(
    'Only people with write permission may start a run.',
    'Ask a maintainer to comment.',
  ),
  'comment-edited': skip('The comment was edited after it was written.', 'Write a new comment.'),
  'quoted-command': skip(
    'The command stands in backticks, so it does not count.',
    'Write it without the backticks.',
  ),
  'unknown-argument': skip(
    'The command has a word that is not known.',
    'Use only arguments that are allowed.',
  ),
  'sha-required': skip(
    'This pull request is of a fork or of an author without write permission: the command must name the commit.',
    'Read the changes, then name the full commit that you read.',
  ),
  'head-moved': skip(
    'The named commit is not the head of the pull request.',
    'Read what is new, then name the current head.',
  ),
  busy: skip('A run of this commit is under way.', 'Wait for its result.'),
  'rate-limited': skip('Too many runs were asked for.', 'Try again later.'),
  'warm-unavailable': note('Runs that reuse data do not exist yet; this one runs cold.'),
  reported: good('Status and comment are written.'),
} as const;
