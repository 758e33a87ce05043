import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, it } from 'vitest';
import { block, code } from '../../../src/report/markdown.ts';

const hostile = fc.oneof(
  fc.string({ unit: fc.constantFrom('`', '|', '\\', 'a', ' ', '\n', '<', '*', '[', '@') }),
  fc.string({ unit: 'binary' }),
);

/** Cells of a row where a backslash escapes whatever follows it, as some renderers read it. */
const byPairs = (row: string): number => row.replace(/\\./gs, '').split('|').length;
/** The same where one backslash before it keeps a bar in its cell, whatever stands before that. */
const byLast = (row: string): number => row.split(/(?<!\\)\|/).length;

describe('untrusted text in Markdown', () => {
  it('is one code span and nothing else', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const span = code(text);
        const [paragraph, ...others] = fromMarkdown(`x ${span} y`).children;
        expect(others).toEqual([]);
        const kinds = paragraph?.type === 'paragraph' ? paragraph.children.map(({ type }) => type) : [];
        expect(kinds).toEqual(span === '' ? ['text'] : ['text', 'inlineCode', 'text']);
      }),
      { numRuns: 500 },
    );
  });

  it.each(['a|b', 'a\\|b', 'a\\\\|b', '\\|@maintainers [x](https://evil.example)', '|', '\\'])(
    'stays in its cell of a table: %s',
    (text) => {
      expect(byPairs(code(text))).toBe(1);
      expect(byLast(code(text))).toBe(1);
    },
  );

  it('stays in its cell of a table, whatever it is', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(byLast(code(text))).toBe(1);
        expect(byPairs(code(text))).toBe(1);
      }),
      { numRuns: 500 },
    );
  });

  it('is one block and nothing else', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(fromMarkdown(`${block(text)}\n\nafter`).children.map(({ type }) => type)).toEqual([
          'code',
          'paragraph',
        ]);
      }),
      { numRuns: 500 },
    );
  });
});
