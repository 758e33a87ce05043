import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../../src/settings/nearest.ts';

describe('the nearest known name', () => {
  it.each([
    ['enroled', ['enrolled', 'image'], 'enrolled'],
    ['imgae', ['image', 'imagery'], 'image'],
    ['KNOWN-BROKEN', ['known-broken'], 'known-broken'],
    ['known_broken', ['known-broken'], 'known-broken'],
    ['biuld-push', ['build-push', 'promote'], 'build-push'],
    ['to', ['tag', 'go'], 'go'],
    ['colour', ['recipe', 'image'], undefined],
    ['x', ['image'], undefined],
    ['anything', [], undefined],
  ])('of %s among %j is %s', (name, known, expected) => {
    expect(nearest(name, known)).toBe(expected);
  });

  it('of a known name is itself', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (known) => {
        const lower = known.map((name) => name.toLowerCase());
        expect(nearest(lower.at(-1)!, lower)).toBe(lower.at(-1));
      }),
    );
  });

  it('is found whatever two neighbours were swapped', () => {
    const name = 'signing-key';
    for (let at = 0; at + 1 < name.length; at++) {
      const swapped = [...name];
      [swapped[at], swapped[at + 1]] = [swapped[at + 1]!, swapped[at]!];
      expect(nearest(swapped.join(''), ['signing', name, 'sign-by'])).toBe(name);
    }
  });
});
