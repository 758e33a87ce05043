import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endInLedger } from '../../../../src/rules/sweep/ledger-end.ts';
import { legText, readLeg } from '../../../../src/rules/sweep/leg-result.ts';
import { resultOf } from '../../../../src/rules/sweep/result.ts';

const commit = 'c'.repeat(40);
const leg = {
  recipe: 'notes',
  candidate: { commit, version: '1.1.0' },
  end: { step: 'promote', outcome: 'done', reasons: ['promoted'], base: '1.0.0', gate: [] },
  startedAt: new Date('2026-01-02T03:04:05Z'),
  finishedAt: new Date('2026-01-02T03:14:05Z'),
  run: 'github-1',
} as const;

describe('the file that a leg leaves', () => {
  it('is read as it was written', () => {
    expect(readLeg(legText(leg))).toEqual({
      recipe: 'notes',
      commit,
      version: '1.1.0',
      end: leg.end,
      startedAt: '2026-01-02T03:04:05.000Z',
      finishedAt: '2026-01-02T03:14:05.000Z',
      run: 'github-1',
    });
  });

  const changed = (change: (value: Record<string, unknown>) => void): string => {
    const value = JSON.parse(legText(leg)) as Record<string, unknown>;
    change(value);
    return JSON.stringify(value);
  };

  it.each<[string, string]>([
    ['no JSON', '{'],
    ['another schema', changed((value) => (value.schema = 'knowngood/leg/v9'))],
    ['no end', changed((value) => delete value.end)],
    ['an outcome that is none', changed((value) => (value.end = { ...leg.end, outcome: 'great' }))],
    ['a code that is none', changed((value) => (value.end = { ...leg.end, reasons: ['<b>'] }))],
    ['a code of the prototype', changed((value) => (value.end = { ...leg.end, reasons: ['constructor'] }))],
    ['a time that is none', changed((value) => (value.startedAt = '<img src=x>'))],
    ['no recipe', changed((value) => (value.recipe = 7))],
  ])('%s is no result', (_name, text) => expect(readLeg(text)).toBeUndefined());

  it('whatever it is, it never breaks the sweep that reads it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.jsonValue().map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const read = readLeg(text);
          if (read !== undefined) resultOf(read.end);
        },
      ),
    );
  });
});

describe('what a build came to, by the ledger', () => {
  const since = new Date('2026-01-02T00:00:00Z');
  const run = (verdict: 'green' | 'red' | 'inconclusive', at: string, of = commit) => ({
    commit: of,
    verdict,
    reasons: ['check-failed', 'nothing-known'],
    base: '1.0.0',
    finishedAt: at,
  });
  it.each([
    ['canonical now', { commit }, [], 'promoted'],
    ['red', { commit: 'old' }, [run('red', '2026-01-02T01:00:00Z')], 'red'],
    ['could not tell', undefined, [run('inconclusive', '2026-01-02T01:00:00Z')], 'inconclusive'],
    ['green and not canonical', undefined, [run('green', '2026-01-02T01:00:00Z')], 'gated'],
    [
      'the last one counts',
      undefined,
      [run('red', '2026-01-02T01:00:00Z'), run('green', '2026-01-02T02:00:00Z')],
      'gated',
    ],
    ['an earlier test is none of it', undefined, [run('red', '2026-01-01T01:00:00Z')], undefined],
    [
      'a test of another commit is none of it',
      undefined,
      [run('red', '2026-01-02T01:00:00Z', 'x')],
      undefined,
    ],
    ['nothing', undefined, [], undefined],
  ] as const)('%s', (_name, record, runs, expected) => {
    const found = endInLedger({ record, runs, commit, since });
    expect(found?.outcome).toBe(expected);
    if (expected === 'red') expect(found?.reasons).toEqual(['check-failed']);
  });
});
