import fc from 'fast-check';
import { compare as semverCompare } from 'semver';
import { describe, expect, it } from 'vitest';
import {
  compareRecipeVersions,
  compareVersions,
  parseVersion,
  sameVersion,
  type Version,
  versionKey,
} from '../../../src/rules/version.ts';

const version = (text: string): Version => {
  const parsed = parseVersion(text);
  if (parsed === undefined) throw new Error(`${text} does not parse`);
  return parsed;
};

describe('a version', () => {
  it.each([
    '1.2.3',
    'v1.2.3',
    '0.0.0',
    '3.0.1+v2.0.0',
    '5.0.3+27.0.1-fpm',
    '0.1.1+v0.4',
    '1.0.0+1.0.5-social-amd64',
    '1.2.3-rc.1',
    '1.2.3-rc.1+v2',
    '1.14.1-rootless',
    '2.0.0-0.3.7',
    '1.0.0+0007',
    '1.0.0--x',
    '123456789012345678901234567890.0.1',
  ])('%j parses and keeps its spelling', (text) => {
    expect(version(text).raw).toBe(text);
  });

  it.each([
    '',
    'v',
    'latest',
    'main',
    '1',
    '1.2',
    '1.2.3.4',
    '1.13.4_1',
    '1.14.1-rootless_1',
    'V1.2.3',
    'vv1.2.3',
    '01.2.3',
    '1.02.3',
    '1.2.3-',
    '1.2.3-01',
    '1.2.3-a..b',
    '1.2.3+',
    '1.2.3+a+b',
    '1.2.3+a..b',
    ' 1.2.3',
    '1.2.3\n',
    '1.2.3 ',
    '-1.2.3',
    '1.2.x',
    '--upload-pack=x',
    '１.2.3',
    `1.2.${'3'.repeat(2000)}`,
  ])('%j does not parse', (text) => {
    expect(parseVersion(text)).toBeUndefined();
  });

  it('is never thrown over, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseVersion(text)));
  });
});

describe('the order of versions', () => {
  // Each list from oldest to newest.
  it.each<[why: string, versions: string[]]>([
    [
      'SemVer 11',
      [
        '1.0.0-alpha',
        '1.0.0-alpha.1',
        '1.0.0-alpha.beta',
        '1.0.0-beta',
        '1.0.0-beta.2',
        '1.0.0-beta.11',
        '1.0.0-rc.1',
        '1.0.0',
        '2.0.0',
        '2.1.0',
        '2.1.1',
      ],
    ],
    ['the recipe version decides before the build', ['9.9.9+99.0.0', '10.0.0+1.0.0']],
    ['builds are numbers where they are digits', ['3.0.1+v2.0.0', '3.0.1+v10.0.0']],
    ['an absent build is lower than any', ['3.0.1', '3.0.1+v0.0.0']],
    ['one v of the build does not count', ['3.0.1+v2.0.0', '3.0.1+2.0.1', '3.0.1+v2.0.2']],
    ['a build with a suffix is lower than without', ['5.0.3+27.0.1-fpm', '5.0.3+27.0.1', '5.0.3+27.0.2-fpm']],
    ['suffixes compare in runs, too', ['1.0.0+1.0-rc2', '1.0.0+1.0-rc10', '1.0.0+1.0']],
    ['a longer build is higher', ['1.0.0+v0.4', '1.0.0+v0.4.0', '1.0.0+v0.4.1']],
    ['digits are lower than letters', ['1.0.0+1.2', '1.0.0+1.a']],
    [
      'numbers have no bound',
      ['1.0.9007199254740992', '1.0.9007199254740993', '1.0.100000000000000000000000'],
    ],
    ['numbers in builds have no bound either', ['1.0.0+9007199254740992', '1.0.0+9007199254740993']],
    ['prereleases with numbers beyond any bound', ['1.0.0-9007199254740992', '1.0.0-9007199254740993']],
    ['a prerelease stays below its release, whatever the build', ['3.1.0-rc.1+v9', '3.1.0+v1']],
  ])('%s', (_, versions) => {
    for (const [index, text] of versions.entries()) {
      for (const later of versions.slice(index + 1)) {
        expect([text, later, Math.sign(compareVersions(version(text), version(later)))]).toEqual([
          text,
          later,
          -1,
        ]);
        expect(Math.sign(compareVersions(version(later), version(text)))).toBe(1);
      }
    }
  });

  it.each([
    ['v1.2.3', '1.2.3'],
    ['3.0.1+v2.0.0', '3.0.1+2.0.0'],
    ['v3.0.1+v2.0.0', '3.0.1+2.0.0'],
    ['1.0.0+007', '1.0.0+7'],
    ['1.0.0+v2.0.0-rc1', '1.0.0+2.0.0-rc.1'],
  ])('%s and %s are one version in two spellings', (a, b) => {
    expect(sameVersion(version(a), version(b))).toBe(true);
    expect(versionKey(version(a))).toBe(versionKey(version(b)));
  });

  it.each([
    ['1.2.3', '1.2.3+1'],
    ['1.2.3', '1.2.3-1'],
    ['1.0.0+1.0', '1.0.0+1.0-'],
    ['1.0.0+1.0', '1.0.0+10'],
  ])('%s and %s are two versions', (a, b) => {
    expect(sameVersion(version(a), version(b))).toBe(false);
    expect(versionKey(version(a))).not.toBe(versionKey(version(b)));
  });

  const digits = fc.oneof(
    fc.nat({ max: 12 }).map(String),
    fc.bigInt({ min: 0n, max: 10n ** 40n }).map(String),
  );
  const identifier = fc.oneof(digits, fc.stringMatching(/^[a-c-][a-c0-9-]{0,3}$/));
  const list = fc.array(identifier, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));
  const anyVersion = fc
    .tuple(
      fc.constantFrom('', 'v'),
      digits,
      digits,
      digits,
      fc.option(list),
      fc.option(fc.tuple(fc.constantFrom('', 'v'), list)),
    )
    .map(
      ([v, a, b, c, pre, build]) =>
        `${v}${a}.${b}.${c}${pre === null ? '' : `-${pre}`}${build === null ? '' : `+${build.join('')}`}`,
    )
    .map(version);

  it('is total: antisymmetric, transitive, and zero exactly for equal keys', () => {
    fc.assert(
      fc.property(anyVersion, anyVersion, anyVersion, (a, b, c) => {
        const [ab, bc, ac] = [compareVersions(a, b), compareVersions(b, c), compareVersions(a, c)];
        expect(Math.sign(ab)).toBe(Math.sign(-compareVersions(b, a)) || 0);
        if (ab <= 0 && bc <= 0) expect(ac).toBeLessThanOrEqual(0);
        expect(ab === 0).toBe(versionKey(a) === versionKey(b));
        expect(compareVersions(a, a)).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  it("is npm semver's where that is right: small numbers, builds left out", () => {
    const small = fc.nat({ max: 3 }).map(String);
    const pre = fc.option(
      fc.array(fc.oneof(small, fc.constantFrom('a', 'b', 'rc', 'a-1')), { minLength: 1, maxLength: 3 }),
    );
    const text = fc
      .tuple(small, small, small, pre)
      .map(([a, b, c, p]) => `${a}.${b}.${c}${p === null ? '' : `-${p.join('.')}`}`);
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareRecipeVersions(version(a), version(b)))).toBe(semverCompare(a, b));
      }),
      { numRuns: 1000 },
    );
  });
});
