import { describe, expect, it } from 'vitest';
import { parseVersion } from '../../../src/rules/version.ts';
import { parseRange } from '../../../src/rules/version-range.ts';

describe('a range of versions', () => {
  it.each<[range: string, version: string, inside: boolean]>([
    ['>=3.1.0 <4', '3.1.0', true],
    ['>=3.1.0 <4', 'v3.9.9+v7', true],
    ['>=3.1.0 <4', '4.0.0', false],
    ['>=3.1.0 <4', '4.0.0-rc.1', false],
    ['>=3.1.0 <4', '3.0.9', false],
    ['>=3.1.0 <4', '3.1.0-rc.1', false],
    ['^3.1', '3.99.0', true],
    ['~3.1', '3.2.0', false],
    ['3.x || 5.x', '5.0.0', true],
    ['3.x || 5.x', '4.0.0', false],
    ['*', '99999999999999999999.0.0', true],
    ['>4', '99999999999999999999.0.0', true],
    ['<4', '99999999999999999999.0.0', false],
    ['3.0.1', '3.0.1+v2.0.0', true],
    ['3.0.1+v2.0.0', '3.0.1+v2.0.0', true],
    ['3.0.1+v2.0.0', 'v3.0.1+2.0.0', true],
    ['3.0.1+v2.0.0', '3.0.1+v2.0.1', false],
    ['>1.0.0 <=1.0.2', '1.0.0', false],
    ['>1.0.0 <=1.0.2', '1.0.2', true],
  ])('%s over %s is %s', (range, version, inside) => {
    expect(parseRange(range)!(parseVersion(version)!)).toBe(inside);
  });

  it.each(['not a range', '>=3.1.0 <', '3.1.0 and 4', '=>1'])('%j is none', (text) => {
    expect(parseRange(text)).toBeUndefined();
  });
});
