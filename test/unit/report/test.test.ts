import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Trouble } from '../../../src/harness/outcome-of-run.ts';
import {
  knownBrokenEntry,
  phaseLine,
  reproduction,
  seconds,
  testSummary,
  tierLines,
  troubleText,
  troubleTitle,
} from '../../../src/report/test.ts';

const at = '2026-01-01T00:00:00Z';
const tiers = [
  { name: 'install', verdict: 'pass', startedAt: at, durationMs: 1300 },
  {
    name: 'upgrade',
    verdict: 'fail',
    reason: 'crashed',
    detail: '`app` ended with exit code 7.',
    startedAt: at,
    durationMs: 184_000,
  },
] as const;
const trouble: Trouble = {
  tier: 'upgrade',
  phase: 'upgrade-candidate',
  role: 'candidate',
  code: 'crashed',
  detail: '`app` ended with exit code 7.',
  of: 'app',
  lines: ['one', '```', '::error::forged', '<img src=x>'],
};

describe('what a person reads of a test', () => {
  it.each([
    [0, '0.0 s'],
    [1234, '1.2 s'],
    [99_940, '99.9 s'],
    [184_000, '3 m 04 s'],
  ])('%s ms are %s', (ms, text) => {
    expect(seconds(ms)).toBe(text);
  });

  it('a line for each phase and each tier', () => {
    const phase = { tier: 'install', name: 'ready 1.0.0', ms: 240 };
    expect(phaseLine({ ...phase, ok: true })).toBe('ok      0.2 s  install: ready 1.0.0');
    expect(phaseLine({ ...phase, ok: false, detail: 'why' })).toBe(
      'FAIL    0.2 s  install: ready 1.0.0: why',
    );
    expect(tierLines(tiers)).toEqual([
      'install  pass             1.3 s',
      'upgrade  fail          3 m 04 s  crashed: `app` ended with exit code 7.',
    ]);
  });

  it('whose last lines they are', () => {
    expect(troubleTitle(trouble)).toBe('Last 4 lines of app (candidate, upgrade):');
    expect(troubleTitle({ ...trouble, lines: [] })).toBe('app (candidate, upgrade) printed nothing.');
    expect(troubleText(trouble).split('\n')[2]).toBe('  | ::error::forged');
  });

  it('a summary in which foreign text stays text', () => {
    const text = testSummary({
      tiers,
      run: {
        troubles: [trouble],
        broken: [{ version: '1.10', why: 'no "entry"\n- { version: 2.0.0 }' }],
        findings: [],
      },
      candidate: '2.0.0',
      base: { version: '1.0.0', reason: 'canonical' },
      reasons: ['crashed'],
      logs: 'knowngood-out/app/logs',
      reproduce: 'knowngood change',
    });
    expect(text).toContain('| `upgrade` | ⛔ fail | 3 m 04 s | `crashed`');
    // A fence of the foreign lines' own is longer than any in them.
    expect(text).toContain('````text\none\n```\n::error::forged\n<img src=x>\n````');
    expect(text).toContain('To run it again: `knowngood change`');
  });

  it('an entry that can be pasted, whatever the reason says', () => {
    const entry = knownBrokenEntry([
      { version: '1.10', why: 'a "quote"\n- { version: 9.9.9 }' },
      { version: '3.0.0+v2.0.0', why: 'x'.repeat(500) },
    ]);
    const { 'known-broken': list } = parse(entry) as {
      'known-broken': { version: string; reason: string }[];
    };
    expect(list.map(({ version }) => version)).toEqual(['1.10', '3.0.0+v2.0.0']);
    expect(list[0]?.reason).toBe('a "quote" - { version: 9.9.9 }');
    expect(list[1]?.reason).toHaveLength(200);
  });

  it('a command line that means what it says in a shell', () => {
    const what = {
      commit: 'c'.repeat(40),
      recipe: 'app',
      tiers: ['install'],
      context: '.',
      config: 'knowngood.yml',
    };
    expect(reproduction(what)).toBe(
      `git checkout ${'c'.repeat(40)} && knowngood change --recipe app --tiers install --keep`,
    );
    expect(reproduction({ ...what, context: 'a b', config: 'other.yml', baseTag: "v1'$(id)" })).toMatch(
      / --context 'a b' --config other\.yml --upgrade-base 'v1'\\''\$\(id\)'$/,
    );
  });
});
