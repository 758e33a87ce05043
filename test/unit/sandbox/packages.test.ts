import { describe, expect, it } from 'vitest';
import { nearest, upstream } from '../../../sandbox/packages.ts';

describe('upstream', () => {
  it.each([
    ['28.5.2+dfsg4-5', '28.5.2'],
    ['1:1.35.0-4+deb12u1', '1.35.0'],
    ['1.6.20~ds1-1+deb12u3', '1.6.20'],
    ['2.5.0-2+b4', '2.5.0'],
  ])('of %s is %s', (version, expected) => {
    expect(upstream(version)).toBe(expected);
  });
});

describe('the version taken instead of one that is gone', () => {
  it.each([
    { wanted: '2.5.0', offered: ['3.1.1-2', '2.5.3-1'], taken: '2.5.3-1' },
    { wanted: '28.5.2', offered: ['26.1.5+dfsg1-9', '29.0.0-1'], taken: '29.0.0-1' },
    { wanted: '1.3.3', offered: ['1.2.9-1', '1.4.9-1', '1.3.9-1'], taken: '1.3.9-1' },
    { wanted: '1.0.0', offered: [], taken: undefined },
  ])('$wanted of $offered is $taken', ({ wanted, offered, taken }) => {
    expect(nearest(wanted, offered)).toBe(taken);
  });
});
