import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Board, type BoardRow, boardPage } from '../../../src/report/board/page.ts';

const row: BoardRow = {
  recipe: 'notes',
  repository: 'https://git.example.org/acme/notes',
  canonical: '1.0.0',
  promotedAt: '2026-01-01T00:00:00Z',
  latest: '1.1.0',
  outcome: 'red',
  reason: 'check-failed',
  why: 'A check failed.',
  gate: [],
  base: null,
  attempts: 1,
  nextEligibleAt: null,
  mirror: null,
  runs: [],
};
const board = (more: Partial<BoardRow> = {}): Board => ({
  fleet: 'fleet.yml',
  at: '2026-01-02T00:00:00Z',
  rows: [{ ...row, ...more }],
});

/** The text of every script and style element, as a browser ends them: at the first `</`. */
function elements(page: string, name: 'script' | 'style'): string[] {
  return [...page.matchAll(new RegExp(`<${name}[^>]*>([\\s\\S]*?)</${name}>`, 'g'))].map(([, text]) => text!);
}
const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

describe('the board', () => {
  it('lets exactly its own script and style run', () => {
    const page = boardPage(board());
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
    const [data, script] = elements(page, 'script');
    const [style] = elements(page, 'style');
    expect(JSON.parse(data!)).toEqual(board());
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${hash(script!)}`,
      `style-src ${hash(style!)}`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(page.indexOf('Content-Security-Policy')).toBeLessThan(page.indexOf('<style>'));
  });

  it('needs nothing else: no address is in its own parts', () => {
    const page = boardPage({ fleet: 'f', at: '2026-01-02T00:00:00Z', rows: [] });
    expect(page).not.toMatch(/https?:|\/\/[a-z]|url\(|@import|\bsrc=|\bhref=/);
  });

  const hostile = [
    '</script><script>alert(1)</script>',
    '<!--<script>',
    '<img src=x onerror=alert(1)>',
    '"><svg onload=alert(1)>',
    '\u2028\u2029',
    '${alert(1)}',
    ']]>',
  ];
  it.each(hostile)('%j in any field stays data', (text) => {
    const given = { ...board(), fleet: text };
    const fields = {
      recipe: text,
      repository: text,
      canonical: text,
      latest: text,
      outcome: text,
      reason: text,
    };
    const rest = {
      why: text,
      gate: [text],
      base: text,
      mirror: text,
      promotedAt: text,
      nextEligibleAt: text,
    };
    const runs = [{ version: text, verdict: text, finishedAt: text }];
    const full: Board = { ...given, rows: [{ ...row, ...fields, ...rest, runs }] };
    const page = boardPage(full);
    const [data, script, ...more] = elements(page, 'script');
    expect(more).toEqual([]);
    expect(JSON.parse(data!)).toEqual(full);
    expect(script).toBe(elements(boardPage(board()), 'script')[1]);
    expect(data).not.toMatch(/[<>&\u2028\u2029]/);
  });

  it('whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const page = boardPage(board({ why: text }));
        expect((JSON.parse(elements(page, 'script')[0]!) as Board).rows[0]!.why).toBe(text);
      }),
      { numRuns: 25 },
    );
  });
});
