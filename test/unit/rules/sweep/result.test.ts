import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutcomeName } from '../../../../src/outcome.ts';
import type { ReasonCode } from '../../../../src/reasons.ts';
import {
  countResults,
  factsOfEnd,
  inChunks,
  type LineEnd,
  resultOf,
  type SweepOutcome,
  type SweepResult,
  sweepOutcomes,
  unaccounted,
} from '../../../../src/rules/sweep/result.ts';
import { lines } from '../../../../src/settings/schema.ts';

const ended = (step: string, outcome: OutcomeName, ...reasons: ReasonCode[]): LineEnd => ({
  step,
  outcome,
  reasons,
});

describe('the result of a recipe', () => {
  it.each<[LineEnd, SweepOutcome]>([
    [ended('promote', 'done', 'promoted'), 'promoted'],
    [ended('promote', 'done', 'dry-run'), 'error'],
    [ended('promote', 'done'), 'error'],
    [ended('promote', 'refused', 'not-green'), 'gated'],
    [ended('promote', 'skipped', 'soaking'), 'gated'],
    [ended('promote', 'skipped', 'concurrent-promotion'), 'gated'],
    [ended('promote', 'skipped', 'already-canonical'), 'skipped'],
    [ended('promote', 'skipped', 'no-new-version'), 'skipped'],
    [ended('promote', 'error', 'cannot-determine'), 'error'],
    [ended('test', 'refused', 'check-failed'), 'red'],
    [ended('test', 'error', 'image-missing'), 'inconclusive'],
    [ended('test', 'error', 'cancelled'), 'error'],
    [ended('test', 'skipped', 'no-own-image'), 'skipped'],
    [ended('test', 'done'), 'error'],
    [ended('build-push', 'refused', 'dest-tag-conflict'), 'gated'],
    [ended('build-push', 'error', 'build-failed'), 'error'],
    [ended('label', 'error', 'config-invalid'), 'error'],
    [ended('label', 'done'), 'error'],
    [ended('step-back', 'error', 'dossier-incomplete'), 'error'],
  ])('$step $outcome $reasons', (end, expected) => {
    expect(resultOf(end)).toBe(expected);
  });

  it('is never a promotion but of promote, and never a skip but of a skip', () => {
    for (const step of lines.release) {
      for (const outcome of ['done', 'skipped', 'refused', 'error'] as const) {
        const result = resultOf(ended(step, outcome, 'promoted'));
        expect(result === 'promoted').toBe(step === 'promote' && outcome === 'done');
        if (result === 'skipped') expect(outcome).toBe('skipped');
        if (outcome === 'error') expect(['error', 'inconclusive']).toContain(result);
      }
    }
  });

  it('has the gate’s conditions, the base and the time from which on it may be', () => {
    const end: LineEnd = {
      ...ended('promote', 'skipped', 'soaking'),
      base: '1.0.0',
      gate: ['soaking'],
      eligibleAt: '2026-01-02T00:00:00Z',
    };
    expect(factsOfEnd(end)).toEqual({
      outcome: 'gated',
      reasons: ['soaking'],
      gate: ['soaking'],
      base: '1.0.0',
      nextEligibleAt: '2026-01-02T00:00:00Z',
    });
    expect(factsOfEnd(ended('build-push', 'refused', 'dest-tag-conflict')).gate).toEqual([
      'dest-tag-conflict',
    ]);
    expect(factsOfEnd({ ...ended('label', 'error', 'config-invalid'), message: 'why' })).toMatchObject({
      message: 'why',
      gate: [],
      base: null,
    });
  });
});

const result = (recipe: string, outcome: SweepOutcome): SweepResult =>
  ({ recipe, outcome, reasons: [] }) as unknown as SweepResult;

describe('the counts', () => {
  it('add up to the number of results, every outcome named', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...sweepOutcomes)), (outcomes) => {
        const counts = countResults(outcomes.map((outcome, n) => result(`r${n}`, outcome)));
        expect(Object.keys(counts)).toEqual([...sweepOutcomes]);
        expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(outcomes.length);
      }),
    );
  });

  it.each<[string[], string[], string[]]>([
    [['a', 'b'], ['b', 'a'], []],
    [['a', 'b'], ['a'], ['b']],
    [['a'], ['a', 'a'], ['a']],
    [['a'], ['a', 'stranger'], ['stranger']],
    [[], [], []],
  ])('of the listed %j, results for %j leave %j unaccounted', (listed, found, expected) => {
    expect(
      unaccounted(
        listed,
        found.map((name) => result(name, 'skipped')),
      ),
    ).toEqual(expected);
  });

  it('chunks lose nothing, keep the order and are full but the last', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 9 }), (items, size) => {
        const chunks = inChunks(items, size);
        expect(chunks.flat()).toEqual(items);
        expect(chunks.every((chunk, index) => chunk.length === size || index === chunks.length - 1)).toBe(
          true,
        );
        expect(chunks.every((chunk) => chunk.length > 0)).toBe(true);
      }),
    );
  });
});
