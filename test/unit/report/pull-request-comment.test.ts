import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, it } from 'vitest';
import {
  answeredBy,
  isAbout,
  REPORT_MARKER,
  type ReportedRun,
  refusalAnswer,
  reportComment,
} from '../../../src/report/pull-request-comment.ts';
import { reportedDossier } from '../../../src/report/reported-dossier.ts';
import { readComment } from '../../../src/rules/comment.ts';
import { reportedState } from '../../../src/rules/reported-state.ts';

const HEAD = '89abcdef0123456789abcdef0123456789abcdef';
/** The most characters that GitHub takes in a comment. */
const MOST = 65_536;

const run = (dossier: unknown, more: Partial<ReportedRun> = {}): ReportedRun => ({
  commit: HEAD,
  head: HEAD,
  state: 'error',
  jobResult: 'failure',
  url: 'https://ci.example.org/run/1',
  dossier: reportedDossier(dossier),
  ...more,
});

describe('what a commit status says', () => {
  it.each([
    ['green', 'success', 'success'],
    ['green', undefined, 'success'],
    ['green', 'failure', 'error'],
    ['green', 'cancelled', 'error'],
    ['green', 'skipped', 'error'],
    ['green', '', 'error'],
    ['red', 'failure', 'failure'],
    ['red', undefined, 'failure'],
    ['red', 'cancelled', 'error'],
    ['red', 'success', 'error'],
    ['inconclusive', 'failure', 'error'],
    ['inconclusive', 'success', 'error'],
    ['GREEN', 'success', 'error'],
    [undefined, 'success', 'error'],
    [undefined, undefined, 'error'],
  ] as const)('test %s, job %s: %s', (verdict, jobResult, state) => {
    expect(reportedState(verdict, jobResult)).toBe(state);
  });
});

describe('the comment of a run', () => {
  /** A dossier in which any field may be anything. */
  const anything = fc.jsonValue({ maxDepth: 4 });
  const anyDossier = fc.oneof(
    anything,
    fc.record(
      {
        candidate: fc.oneof(anything, fc.record({ recipe: anything, version: anything })),
        upgradeBase: fc.oneof(anything, fc.record({ base: anything, reasons: anything, rejected: anything })),
        test: fc.oneof(anything, fc.record({ verdict: anything, tiers: anything, reasons: anything })),
      },
      { requiredKeys: [] },
    ),
  );

  it('is made of any dossier, is found again, and fits', () => {
    fc.assert(
      fc.property(anyDossier, (dossier) => {
        const body = reportComment(run(dossier));
        expect(body.startsWith(REPORT_MARKER)).toBe(true);
        expect(isAbout(body, HEAD)).toBe(true);
        expect(body.length).toBeLessThan(MOST);
      }),
      { numRuns: 500 },
    );
  });

  it('quotes people in code spans only, whatever they write', () => {
    const hostile = fc.array(
      fc.constantFrom(
        '`',
        '``',
        '|',
        '\\',
        '<!-- x -->',
        '<b>',
        '[a](b:c)',
        '@all',
        '\n',
        ' ',
        '#',
        '*',
        '~~~',
        '\u202e',
        'x',
      ),
    );
    fc.assert(
      fc.property(hostile, (parts) => {
        const text = parts.join('');
        const body = reportComment(
          run({
            candidate: { recipe: text, version: text },
            upgradeBase: {
              base: { version: text },
              reasons: [text],
              rejected: [{ tag: text, reason: text }],
            },
            test: { verdict: 'red', reasons: [text], tiers: [{ name: text, verdict: text, reason: text }] },
          }),
        );
        const markers = outside(body);
        expect(markers).not.toMatch(/<b>|@all|b:c|<!-- x|\u202e/);
      }),
      { numRuns: 500 },
    );
  });

  it('is never a command itself, nor is an answer', () => {
    for (const body of [
      reportComment(run({ candidate: { version: '!testme' } })),
      refusalAnswer(7, 'unknown-argument', { word: '!testme' }),
    ])
      expect(readComment(body, '!testme', []).kind).toBe('none');
  });

  it('links to nothing but a plain address', () => {
    for (const url of ['javascript:alert(1)', 'https://x/)](https://evil', 'https://x/ "y"', 'x'])
      expect(reportComment(run({}, { url }))).not.toContain('[The run]');
    expect(reportComment(run({}))).toContain('[The run](https://ci.example.org/run/1)');
  });

  it('names the commit that it is about in its second line alone', () => {
    const quoted = reportComment(
      run({ candidate: { version: `<!-- knowngood:commit:${'1'.repeat(40)} -->` } }),
    );
    expect(isAbout(quoted, '1'.repeat(40))).toBe(false);
  });
});

describe('an answer', () => {
  it('tells which comment it is to', () => {
    expect(answeredBy(refusalAnswer(123, 'busy', {}))).toBe(123);
    expect(answeredBy(`text\n${refusalAnswer(123, 'busy', {})}`)).toBeUndefined();
    expect(answeredBy('<!-- knowngood:answer:x -->')).toBeUndefined();
  });
});

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly url?: string;
  readonly children?: readonly Node[];
}

/** What a reader sees of Markdown besides code spans, our own first lines left out. */
function outside(text: string): string {
  const seen = ({ type, value, url, children }: Node): string[] =>
    type === 'inlineCode' ? [] : [value ?? '', url ?? '', ...(children ?? []).flatMap(seen)];
  return seen(fromMarkdown(text) as Node).join('\n');
}
