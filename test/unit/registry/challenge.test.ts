import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chosenChallenge, parseChallenges } from '../../../src/registry/challenge.ts';

describe('parseChallenges', () => {
  it.each<[string | undefined, [string, Record<string, string>][]]>([
    [undefined, []],
    ['', []],
    ['Basic realm="x"', [['basic', { realm: 'x' }]]],
    ['Basic', [['basic', {}]]],
    [
      'Bearer realm="https://a/token",service="a",scope="repository:b/c:pull,push"',
      [['bearer', { realm: 'https://a/token', service: 'a', scope: 'repository:b/c:pull,push' }]],
    ],
    ['Bearer realm = "a" , service = b', [['bearer', { realm: 'a', service: 'b' }]]],
    ['BEARER Realm="a"', [['bearer', { realm: 'a' }]]],
    ['Bearer realm="say \\"hi\\""', [['bearer', { realm: 'say "hi"' }]]],
    [
      'Basic realm="b", Bearer realm="a",service="s"',
      [
        ['basic', { realm: 'b' }],
        ['bearer', { realm: 'a', service: 's' }],
      ],
    ],
    [
      'Negotiate, Basic realm="b"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'b' }],
      ],
    ],
    [
      'Bearer realm="a",error="insufficient_scope"',
      [['bearer', { realm: 'a', error: 'insufficient_scope' }]],
    ],
    ['realm="a"', []],
    ['Bearer realm="open', [['bearer', {}]]],
  ])('%s', (header, expected) => {
    expect(parseChallenges(header).map(({ scheme, parameters }) => [scheme, parameters])).toEqual(expected);
  });

  it('ends on any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        parseChallenges(text);
      }),
    );
  });

  it('takes no time for a header made to cost it', () => {
    expect(parseChallenges(`Bearer ${' ,'.repeat(30_000)}`)).toHaveLength(1);
    expect(parseChallenges(`Bearer a="${'\\'.repeat(30_000)}`)).toHaveLength(1);
  });
});

it.each([
  ['Basic realm="b", Bearer realm="https://a"', 'bearer'],
  ['Bearer realm="https://a", Basic realm="b"', 'bearer'],
  ['Bearer, Basic realm="b"', 'basic'],
  ['Negotiate', undefined],
  [undefined, undefined],
])('of %s it answers %s', (header, scheme) => {
  expect(chosenChallenge(header)?.scheme).toBe(scheme);
});
