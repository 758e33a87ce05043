import * as v from 'valibot';
import type { Failure } from '../outcome.ts';

/** The first thing that is wrong, with its place: `` `keys.0.builder` is missing ``. */
export function fault([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const place = `\`${v.getDotPath(issue) ?? 'the whole'}\``;
  if (issue.received === 'undefined') return `${place} is missing`;
  if (issue.expected === 'never') return `${place} is not known`;
  return `${place} ${issue.message.replace(/^Invalid [a-z]+: E/, 'is wrong: e')}`;
}

/** What a failure says, to stand within another sentence. */
export function clause({ message }: Failure): string {
  return message.replace(/\.$/, '');
}
