import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Retry } from '../../../src/http/http.ts';
import { type Attempt, backoff, isTransientStatus, retryAfter, retrying } from '../../../src/http/retry.ts';
import { Failure } from '../../../src/outcome.ts';

/** A clock that stands still but for sleeping. */
function fakeClock(start = 0) {
  const slept: number[] = [];
  let now = start;
  return {
    slept,
    now: () => now,
    random: () => 0.5,
    sleep: async (ms: number) => {
      slept.push(ms);
      now += ms;
    },
    advance: (ms: number) => {
      now += ms;
    },
  };
}

const again = <T>(last: T, afterMs?: number): Attempt<T> => ({
  again: true,
  why: 'answered 503',
  last: () => last,
  ...(afterMs === undefined ? {} : { afterMs }),
});

describe('retrying', () => {
  it('waits longer each time, tells each try, and gives the last answer after six', async () => {
    const clock = fakeClock();
    const told: Retry[] = [];
    let tries = 0;
    const result = await retrying(
      { what: 'GET x' },
      { clock, onRetry: (retry) => told.push(retry) },
      async () => again(++tries),
    );
    expect(result).toBe(6);
    expect(clock.slept).toEqual([375, 750, 1500, 3000, 6000]);
    expect(told.map(({ attempt, tries: of, waitMs }) => [attempt, of, waitMs])).toEqual([
      [1, 6, 375],
      [2, 6, 750],
      [3, 6, 1500],
      [4, 6, 3000],
      [5, 6, 6000],
    ]);
    expect(told[0]).toMatchObject({ what: 'GET x', why: 'answered 503' });
  });

  it('stops at the first end', async () => {
    const clock = fakeClock();
    let tries = 0;
    const once = async (): Promise<Attempt<string>> => (++tries < 3 ? again('no') : { done: 'yes' });
    expect(await retrying({ what: 'x' }, { clock }, once)).toBe('yes');
    expect(tries).toBe(3);
  });

  it('waits as long as the server asks, if that is longer', async () => {
    const clock = fakeClock();
    let tries = 0;
    await retrying({ what: 'x' }, { clock }, async () =>
      ++tries < 3 ? again(0, [10, 5000][tries - 1]) : { done: 1 },
    );
    expect(clock.slept).toEqual([375, 5000]);
  });

  it('gives up rather than wait past its deadline', async () => {
    const clock = fakeClock();
    let tries = 0;
    const result = await retrying({ what: 'x', deadline: 10_000 }, { clock }, async () =>
      again(++tries, 9000),
    );
    expect(result).toBe(2);
    expect(clock.now()).toBeLessThan(10_000);
  });

  it('tells each try how much time is left', async () => {
    const clock = fakeClock();
    const left: number[] = [];
    await retrying({ what: 'x', deadline: 10_000, tries: 3 }, { clock }, async (_, ms) => {
      left.push(ms);
      clock.advance(1000);
      return again(0);
    });
    expect(left).toEqual([10_000, 8625, 6875]);
  });

  it('ends as cancelled when the signal aborts', async () => {
    const clock = fakeClock();
    const controller = new AbortController();
    const once = async () => {
      controller.abort();
      return again(0);
    };
    await expect(retrying({ what: 'x', signal: controller.signal }, { clock }, once)).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('throws what the last try throws', async () => {
    const once = async (): Promise<Attempt<never>> => ({
      again: true,
      why: 'connection reset',
      last: () => {
        throw new Failure('cannot-determine');
      },
    });
    await expect(retrying({ what: 'x' }, { clock: fakeClock() }, once)).rejects.toThrow(Failure);
  });
});

describe('backoff', () => {
  it('grows, stays under 20 seconds, and is jittered down to half', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, random) => {
          const wait = backoff(attempt, random);
          expect(wait).toBeGreaterThanOrEqual(250);
          expect(wait).toBeLessThanOrEqual(20_000);
          expect(wait).toBeGreaterThanOrEqual(backoff(attempt, 0));
          expect(wait).toBeLessThanOrEqual(2 * backoff(attempt, 0));
          expect(backoff(attempt + 1, random)).toBeGreaterThanOrEqual(wait);
        },
      ),
    );
  });
});

describe('retryAfter', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['0', 0],
    ['7', 7000],
    [' 7 ', 7000],
    ['120', 120_000],
    ['121', 120_000],
    ['999999999', 120_000],
    ['99999999999999999999', undefined],
    ['-5', 0],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:30 GMT', 0],
    ['Fri, 01 Jan 2027 00:00:00 GMT', 120_000],
    ['soon', undefined],
    ['', undefined],
  ])('%j is %s', (header, expected) => {
    expect(retryAfter(header, now)).toBe(expected);
  });
});

describe('isTransientStatus', () => {
  it.each([408, 429, 500, 502, 503, 504, 520, 599])('%i passes', (status) => {
    expect(isTransientStatus(status)).toBe(true);
  });
  it.each([200, 301, 400, 401, 403, 404, 409, 412, 416, 501, 505, 511])('%i stays', (status) => {
    expect(isTransientStatus(status)).toBe(false);
  });
});
