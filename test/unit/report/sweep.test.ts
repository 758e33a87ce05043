import { describe, expect, it } from 'vitest';
import { resultLine, sweepSummary } from '../../../src/report/sweep.ts';
import { countResults, type SweepResult } from '../../../src/rules/sweep/result.ts';

const result = (recipe: string, more: Partial<SweepResult> = {}): SweepResult => ({
  recipe,
  old: '1.0.0',
  new: '1.0.0',
  latest: '1.0.0',
  outcome: 'skipped',
  reasons: ['no-new-version'],
  gate: [],
  base: null,
  attempts: 0,
  nextEligibleAt: null,
  mirror: null,
  startedAt: '2026-03-01T12:00:00.000Z',
  finishedAt: '2026-03-01T12:00:01.000Z',
  run: 'run-1',
  ...more,
});
const summary = (...results: SweepResult[]): string => sweepSummary(results, countResults(results));

describe('the summary of a sweep', () => {
  it('tells what needs a look first, and what did not change by name', () => {
    const text = summary(
      result('quiet-1'),
      result('good', { outcome: 'promoted', reasons: ['promoted'], new: '1.1.0', latest: '1.1.0' }),
      result('first', {
        outcome: 'promoted',
        reasons: ['promoted'],
        old: null,
        new: '0.1.0',
        latest: '0.1.0',
      }),
      result('red', { outcome: 'red', reasons: ['check-failed'], latest: '1.1.0' }),
      result('waits', {
        outcome: 'deferred',
        reasons: ['backoff'],
        nextEligibleAt: '2026-03-01T14:05:09.000Z',
      }),
      result('gated', {
        outcome: 'gated',
        reasons: ['soaking'],
        gate: ['soaking', 'not-latest'],
        message: 'later',
      }),
      result('gone', {
        outcome: 'error',
        reasons: ['git-denied'],
        message: 'git said | no',
        new: null,
        latest: null,
      }),
      result('quiet-2'),
    );
    const [counts, , , , ...lines] = text.split('\n');
    expect(counts).toBe(
      '**1** error · **1** red · **1** gated · **1** deferred · **2** promoted · **2** skipped',
    );
    expect(lines.map((line) => line.split(' | ').slice(0, 3).join(' | '))).toEqual([
      '| ❌ error | `gone` | nothing yet',
      '| ⛔ red | `red` | `1.0.0`, newest `1.1.0`',
      '| ✋ gated | `gated` | `1.0.0`',
      '| ⏳ deferred | `waits` | `1.0.0`',
      '| ✅ promoted | `good` | `1.0.0` → `1.1.0`',
      '| ✅ promoted | `first` | nothing → `0.1.0`',
      '',
      'Nothing new (2): `quiet-1`, `quiet-2`',
    ]);
    expect(text).toContain('`git-denied` `git said \\| no`');
    expect(text).toContain('`soaking`, `not-latest` `later`');
    expect(text).toContain(' | 2026-03-01 14:05 UTC |');
  });

  it('stays within its size over a large fleet, and loses no count', () => {
    const many = Array.from({ length: 1000 }, (_, n) =>
      result(`r${n}`, { outcome: 'error', reasons: ['git-denied'], message: 'x'.repeat(500) }),
    );
    const text = summary(...many);
    expect(Buffer.byteLength(text)).toBeLessThan(512 * 1024);
    expect(text).toContain('**1000** error');
    expect(text).toContain('700 more are in');
  });

  it('shows hostile text as text', () => {
    const message = '<img src=x> `a` [b](https://evil.example) @everyone';
    const text = summary(result('a', { outcome: 'error', reasons: ['git-denied'], message }));
    expect(text).toContain('``<img src=x> `a` [b](https://evil.example) @everyone``');
  });
});

describe('the line of the log', () => {
  it.each<[Partial<SweepResult>, string]>([
    [{}, 'app: skipped no-new-version (1.0.0)'],
    [{ outcome: 'promoted', reasons: ['promoted'], new: '1.1.0' }, 'app: promoted (1.0.0 → 1.1.0)'],
    [
      { outcome: 'red', reasons: ['check-failed'], old: null, new: null },
      'app: red check-failed (nothing canonical)',
    ],
  ])('%j', (more, line) => {
    expect(resultLine(result('app', more))).toBe(line);
  });
});
