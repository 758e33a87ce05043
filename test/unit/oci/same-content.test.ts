import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { differingPlatforms, type PlatformContent, sameContent } from '../../../src/oci/same-content.ts';

const content = (platform: string, config: string, ...layers: string[]): PlatformContent => ({
  platform,
  config: { digest: digestOf(config) },
  layers: layers.map(digestOf),
});
const amd = content('linux/amd64', 'c1', 'a', 'b');
const arm = content('linux/arm64', 'c2', 'a', 'b');

describe('sameContent', () => {
  it.each<[string, PlatformContent[], PlatformContent[], boolean, string[]]>([
    ['the same', [amd], [amd], true, []],
    ['another order of platforms', [amd, arm], [arm, amd], true, []],
    ['a platform less', [amd, arm], [amd], false, ['linux/arm64']],
    ['a platform more', [amd], [amd, arm], false, ['linux/arm64']],
    ['another config', [amd], [content('linux/amd64', 'c9', 'a', 'b')], false, ['linux/amd64']],
    ['another order of layers', [amd], [content('linux/amd64', 'c1', 'b', 'a')], false, ['linux/amd64']],
    ['a layer less', [amd], [content('linux/amd64', 'c1', 'a')], false, ['linux/amd64']],
    ['another platform', [amd], [content('linux/386', 'c1', 'a', 'b')], false, ['linux/386', 'linux/amd64']],
    ['nothing and something', [], [amd], false, ['linux/amd64']],
  ])('%s', (_, a, b, same, differing) => {
    expect(sameContent(a, b)).toBe(same);
    expect(sameContent(b, a)).toBe(same);
    expect(differingPlatforms(a, b)).toEqual(differing);
  });

  it('is an equality of sets', () => {
    const entry = fc
      .tuple(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'), fc.array(fc.constantFrom('x', 'y')))
      .map(([p, c, l]) => content(p, c, ...l));
    fc.assert(
      fc.property(fc.array(entry), fc.array(entry), (a, b) => {
        expect(sameContent(a, [...a].reverse())).toBe(true);
        expect(sameContent(a, b)).toBe(sameContent(b, a));
        expect(sameContent(a, b)).toBe(differingPlatforms(a, b).length === 0);
      }),
    );
  });
});
