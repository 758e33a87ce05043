import { Failure } from '../outcome.ts';

/**
 * The forge's answer that is no success, as a Failure. 404 is for the caller: it may be an answer. `limited`: the answer
 * is about how often we asked, which GitHub says with a 403 as it says "no".
 */
export function forgeFailure(status: number, what: string, message: string, limited = false): Failure {
  const detail = message === '' ? '' : ` (${message.slice(0, 200)})`;
  if (limited || status === 429) {
    return new Failure('forge-limited', `The forge did not let us ${what} now: ${status}${detail}.`);
  }
  if (status === 401 || status === 403) {
    return new Failure('forge-denied', `The forge refused to ${what}: ${status}${detail}.`);
  }
  return new Failure('forge-failed', `The forge could not ${what}: ${status}${detail}.`);
}

/** At most this many pages of 100 are read; more is a Failure, because half a list is no list. */
export const MOST_PAGES = 30;

export function tooMany(what: string): Failure {
  return new Failure('forge-failed', `There are too many ${what} to read them all.`, {
    remedy: 'Nothing was decided on the part that was read; reduce their number.',
  });
}
