import { expect, it } from 'vitest';
import { excerpt } from '../../../src/http/excerpt.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

it.each<[string, string]>([
  ['', ''],
  ['  plain \r\n text ', 'plain text'],
  ['a\u001b[31mb\u0000c\u202ed', 'a [31mb c d'],
  ['::error::x\n::stop-commands::y', '::error::x ::stop-commands::y'],
])('%j is shown as %j', (body, expected) => {
  expect(excerpt(bytes(body), (text) => text)).toBe(expected);
});

it('masks before it cuts, so that no half of a secret is shown', () => {
  const redact = (text: string) => text.replaceAll('s3cret-s3cret', '***');
  const shown = excerpt(bytes(`${'x'.repeat(195)}s3cret-s3cret`), redact);
  expect(shown).toBe(`${'x'.repeat(195)}***`);
  expect(excerpt(bytes('y'.repeat(300)), redact)).toBe(`${'y'.repeat(200)}…`);
});
