import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attempt, backOff } from '../../../../src/rules/sweep/back-off.ts';

const now = new Date('2026-03-01T12:00:00Z');
const hour = 3600_000;
const release = { version: '1.1.0', commit: 'c1' };
const tried = (
  hoursAgo: number,
  verdict: Attempt['verdict'] = 'red',
  more: Partial<Attempt> = {},
): Attempt => ({
  ...release,
  verdict,
  finishedAt: new Date(now.getTime() - hoursAgo * hour).toISOString(),
  ...more,
});

/** Attempts, and hours from now until the next one may be. */
function asked(...log: Attempt[]): string {
  const { attempts, until } = backOff(log, release, { now, harness: '1.4.0' });
  return `${attempts} ${until === undefined ? 'now' : (until.getTime() - now.getTime()) / hour}`;
}

describe('a version that was not promoted rests', () => {
  it.each<[string, Attempt[], string]>([
    ['never tried', [], '0 now'],
    ['red an hour ago: 2 h', [tried(1)], '1 1'],
    ['red two hours ago', [tried(2)], '1 now'],
    ['red twice: 4 h', [tried(9), tried(1)], '2 3'],
    ['red three times: 8 h', [tried(30), tried(9), tried(1)], '3 7'],
    ['green and not promoted counts too', [tried(1, 'green')], '1 1'],
    ['could not tell: rests, and does not count', [tried(1, 'inconclusive')], '0 1'],
    [
      'could not tell many times: does not grow',
      Array.from({ length: 9 }, () => tried(1, 'inconclusive')),
      '0 1',
    ],
    ['never more than 5 days', Array.from({ length: 40 }, (_, n) => tried(40 - n)), '40 119'],
    ['another version starts afresh', [tried(1, 'red', { version: '1.0.0' })], '0 now'],
    ['a moved tag starts afresh', [tried(1, 'red', { commit: 'c0' })], '0 now'],
    ['another minor of this program goes on', [tried(1, 'red', { harness: '1.0.0' })], '1 1'],
    ['another major of this program starts afresh', [tried(1, 'red', { harness: '0.9.0' })], '0 now'],
    ['its own major counts beside it', [tried(9, 'red', { harness: '0.9.0' }), tried(1)], '1 1'],
    ['a version that is none counts', [tried(1, 'red', { harness: 'unbundled' })], '1 1'],
    ['the order of the log does not matter', [tried(1), tried(9)], '2 3'],
  ])('%s', (_name, log, expected) => {
    expect(asked(...log)).toBe(expected);
  });

  it('never longer than five days after the last attempt, and never less than two hours', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1000), fc.constantFrom('red', 'green', 'inconclusive')), {
          minLength: 1,
          maxLength: 60,
        }),
        (entries) => {
          const log = entries.map(([ago, verdict]) => tried(ago, verdict as Attempt['verdict']));
          const last = Math.min(...entries.map(([ago]) => ago));
          const { until } = backOff(log, release, { now, harness: '1.4.0' });
          const rest = until === undefined ? undefined : (until.getTime() - now.getTime()) / hour + last;
          if (rest === undefined) expect(last).toBeGreaterThanOrEqual(2);
          else expect(rest >= 2 && rest <= 120).toBe(true);
        },
      ),
    );
  });
});
