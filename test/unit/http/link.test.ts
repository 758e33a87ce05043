import { expect, it } from 'vitest';
import { nextLink } from '../../../src/http/link.ts';

it.each<[string | undefined, string | undefined]>([
  [undefined, undefined],
  ['', undefined],
  ['</v2/a/tags/list?last=b&n=2>; rel="next"', '/v2/a/tags/list?last=b&n=2'],
  ['<https://x/?page=2>; rel=next', 'https://x/?page=2'],
  ['<https://x/?a=1,2;3>; rel="next"', 'https://x/?a=1,2;3'],
  [
    '<https://x/?page=1>; rel="prev", <https://x/?page=3>; rel="next", <https://x/?page=9>; rel="last"',
    'https://x/?page=3',
  ],
  ['<a>; title="x"; rel="next"', 'a'],
  ['<a>; rel="start next"', 'a'],
  ['<a>; REL="NEXT"', 'a'],
  ['<a>; rel="nextish"', undefined],
  ['<a>; rel="prev"', undefined],
  ['a; rel="next"', undefined],
])('%s leads to %s', (header, expected) => {
  expect(nextLink(header)).toBe(expected);
});
