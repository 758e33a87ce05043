import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  comparePlatforms,
  formatPlatform,
  normalisePlatform,
  parsePlatform,
  samePlatform,
} from '../../../src/oci/platform.ts';

describe('platforms', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['Linux/x86_64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/arm64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['linux/arm/v6', 'linux/arm/v6'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/i386', 'linux/386'],
    ['linux/riscv64', 'linux/riscv64'],
    ['macos/arm64', 'darwin/arm64'],
    [' linux/s390x ', 'linux/s390x'],
    ['windows(10.0.17763.1879)/amd64', 'windows(10.0.17763.1879)/amd64'],
  ])('%s is %s', (text, expected) => {
    const platform = parsePlatform(text);
    expect(formatPlatform(platform)).toBe(expected);
    expect(parsePlatform(formatPlatform(platform))).toEqual(platform);
  });

  it.each([
    '',
    'linux',
    'linux/',
    '/amd64',
    'linux/amd64/v1/x',
    'linux amd64',
    'li nux/amd64',
    'linux/amd64\u0000',
    'linux()/amd64',
  ])('refuses %j', (text) => {
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'setting-invalid' }));
  });

  it('compares spellings of one platform as equal, others in a total order', () => {
    expect(
      samePlatform(
        { os: 'linux', architecture: 'arm64', variant: 'v8' },
        { os: 'linux', architecture: 'aarch64' },
      ),
    ).toBe(true);
    expect(samePlatform(parsePlatform('linux/arm/v6'), parsePlatform('linux/arm/v7'))).toBe(false);
    const any = fc.record({
      os: fc.constantFrom('linux', 'windows', 'macos'),
      architecture: fc.constantFrom('amd64', 'x86_64', 'arm', 'arm64', 'armhf'),
      variant: fc.constantFrom('', 'v6', 'v7', '7', 'v8'),
    });
    fc.assert(
      fc.property(any, any, (a, b) => {
        const left = normalisePlatform(a);
        const right = normalisePlatform(b);
        expect(normalisePlatform(left)).toEqual(left);
        expect(comparePlatforms(left, right)).toBe(0 - comparePlatforms(right, left));
        expect(samePlatform(left, right)).toBe(formatPlatform(left) === formatPlatform(right));
      }),
    );
  });
});
