import { describe, expect, it } from 'vitest';
import { gateLines, gateRows, gateTable, type ShownRow } from '../../../src/report/gate.ts';

const hostile = 'x\u001b[2J\n::error::y | <img src=x> `@everyone` \u202e';
const row = (verdict: ShownRow['verdict'], more: Partial<ShownRow> = {}): ShownRow => ({
  code: 'not-latest',
  verdict,
  found: 'found',
  remedy: 'do this',
  asks: 'Latest',
  ...more,
});

describe('the gate for the log', () => {
  it('has every condition on a line, and code and remedy where it does not hold', () => {
    expect(
      gateLines([
        row('pass'),
        row('n/a', { found: '' }),
        row('temporary'),
        row('unknown', { remedy: '' }),
        row('permanent'),
      ]),
    ).toEqual([
      'ok    Latest (found)',
      'n/a   Latest',
      'WAIT  Latest (found)  not-latest',
      '      → do this',
      '?     Latest (found)  not-latest',
      'NO    Latest (found)  not-latest',
      '      → do this',
    ]);
  });

  it('shows what others wrote on one line, inert', () => {
    for (const line of gateLines([row('permanent', { found: hostile, remedy: hostile })])) {
      expect(line).not.toMatch(/[\n\r\u001b\u202e]/);
    }
  });
});

describe('the gate for the summary', () => {
  it('has what does not hold first, and the rest folded away', () => {
    const text = gateTable([row('pass', { asks: 'Green' }), row('permanent'), row('n/a', { asks: 'Held' })]);
    expect(text.indexOf('| ⛔ | Latest | `not-latest` | `found` | `do this` |')).toBeLessThan(
      text.indexOf('<details>'),
    );
    expect(text).toContain('<summary>1 of 3 conditions hold; not applicable: 1</summary>');
    expect(gateTable([row('pass')])).not.toContain('What to do');
    expect(gateTable([row('permanent')])).not.toContain('<details>');
  });

  it('keeps what others wrote in code spans: no cell, no line and no tag of theirs', () => {
    const [, , line = ''] = gateTable([row('permanent', { found: hostile })]).split('\n');
    expect(line.split(/(?<!\\)\|/)).toHaveLength(7);
    expect(line).not.toMatch(/[\n\u001b\u202e]/);
    expect(line.replace(/(`+)[^`].*?[^`]\1(?!`)/g, '')).not.toContain('<img');
  });
});

it('the gate for the output has the contract’s four keys and nothing more', () => {
  expect(gateRows({ rows: [row('pass')] })).toEqual([
    { code: 'not-latest', verdict: 'pass', found: 'found', remedy: 'do this' },
  ]);
});
