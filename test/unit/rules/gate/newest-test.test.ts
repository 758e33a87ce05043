import { describe, expect, it } from 'vitest';
import { newestTest, type SignedResult } from '../../../../src/rules/gate/newest-test.ts';
import type { Evidence } from '../../../../src/rules/gate/snapshot.ts';
import { promotable } from './promotable.ts';

const tested = (verdict: Evidence['verdict'], finishedAt: string): SignedResult => ({
  result: verdict === 'green' ? 'PASSED' : 'FAILED',
  evidence: { ...promotable().evidence!, verdict, finishedAt },
  by: 'a key',
});
const [first, later] = ['2026-03-01T10:00:00Z', '2026-03-01T11:00:00Z'] as const;
const green = tested('green', first);
const lateGreen = tested('green', later);
const lateRed = tested('red', later);
const unread = { evidence: undefined, by: 'a key' };

describe('the last word among signed tests', () => {
  it.each<[string, SignedResult[], SignedResult | undefined]>([
    ['none', [], undefined],
    ['one', [green], green],
    ['a green one after a red one', [tested('red', first), lateGreen], lateGreen],
    ['a red one after a green one', [lateRed, green], lateRed],
    ['one beside a passed one that cannot be read', [{ ...unread, result: 'PASSED' }, green], green],
  ])('of %s', (_, results, newest) => {
    const expected = newest === undefined ? undefined : { evidence: newest.evidence, by: newest.by };
    expect(newestTest(results)).toEqual({ newest: expected });
    expect(newestTest([...results].reverse())).toEqual({ newest: expected });
  });

  it.each<[string, SignedResult]>([
    ['failed, and cannot be read', { ...unread, result: 'FAILED' }],
    ['passed and was red', { ...lateRed, result: 'PASSED' }],
    ['failed and was green', { ...green, result: 'FAILED' }],
    ['ended at no time', tested('red', 'yesterday')],
  ])('is open where one %s', (_, one) => {
    expect(newestTest([lateGreen, one])).toEqual({ undecided: expect.stringContaining('a key') });
    expect(newestTest([one, lateGreen])).toEqual({ undecided: expect.stringContaining('a key') });
  });
});
