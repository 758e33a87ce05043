import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readComment } from '../../../src/rules/comment.ts';
import { corpus, none, read, run } from './comment-corpus.ts';

describe('reading a comment', () => {
  for (const [about, rows] of Object.entries(corpus)) {
    describe(about, () => {
      it.each(rows.map(([body, expected]) => ({ body, expected })))('$body', ({ body, expected }) => {
        expect(read(body)).toEqual(expected);
      });
    });
  }

  it('has a corpus worth the name', () => {
    expect(Object.values(corpus).flat().length).toBeGreaterThanOrEqual(120);
  });

  it('never throws, and never runs what does not begin with the word', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const body = `x${text}`;
        expect(['none', 'quoted']).toContain(read(body).kind);
      }),
    );
  });

  it('runs nothing that stands in a fence, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 9 }),
        fc.constantFrom('`', '~'),
        fc.string(),
        (length, mark, text) => {
          const inside = text.replace(/[`~\r\n]/g, '');
          expect(read(`${mark.repeat(length)}\n${inside}\n!testme\n`).kind).toBe('none');
        },
      ),
    );
  });

  it('takes another word', () => {
    expect(readComment('/release-test', '/release-test', [])).toEqual(run());
    expect(readComment('!testme', '/release-test', [])).toEqual(none);
  });
});
