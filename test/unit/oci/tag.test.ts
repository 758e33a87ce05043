import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isReservedTag, tagOfVersion, versionOfTag } from '../../../src/oci/tag.ts';

describe('tagOfVersion', () => {
  it.each([
    ['1.2.3', '1.2.3'],
    ['3.0.1+v2.0.0', '3.0.1_v2.0.0'],
    ['1.0.0-rc.1+build.5', '1.0.0-rc.1_build.5'],
    ['a'.repeat(128), 'a'.repeat(128)],
  ])('%s is %s and back', (version, tag) => {
    expect(tagOfVersion(version)).toBe(tag);
    expect(versionOfTag(tag)).toBe(version);
  });

  it.each([
    ['1.0_0', 'tag-unrepresentable'],
    ['1.0.0+a_b', 'tag-unrepresentable'],
    ['a'.repeat(129), 'tag-unrepresentable'],
    ['', 'tag-unrepresentable'],
    ['-1', 'tag-unrepresentable'],
    ['1/2', 'tag-unrepresentable'],
    ['1.0.0 ', 'tag-unrepresentable'],
    ['1.0.0\n', 'tag-unrepresentable'],
    ['latest', 'tag-reserved'],
    ['sha-1', 'tag-reserved'],
  ])('%j is %s', (version, code) => {
    expect(() => tagOfVersion(version)).toThrow(expect.objectContaining({ code }));
  });

  it('drops the `v` that people put before a version, and only that one', () => {
    expect(tagOfVersion('v1.2.3')).toBe('1.2.3');
    expect(tagOfVersion('v3.0.1+v2.0.0')).toBe('3.0.1_v2.0.0');
    expect(tagOfVersion('version')).toBe('version');
  });

  it('gives no two versions one tag', () => {
    const version = fc.stringMatching(
      /^[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}(?:-[0-9a-z.-]{1,6})?(?:\+[0-9a-z.-]{1,6})?$/,
    );
    fc.assert(
      fc.property(version, (text) => {
        expect(versionOfTag(tagOfVersion(text))).toBe(text);
      }),
    );
  });
});

describe('isReservedTag', () => {
  it.each([
    'latest',
    'Latest',
    'edge',
    'canonical',
    'sha-0123456789ab',
    'sha-',
    'pr-1-0123',
    'sha256-00',
    'x.sig',
    '1.0.0.att',
  ])('%s is reserved', (tag) => {
    expect(isReservedTag(tag)).toBe(true);
  });

  it.each(['1', '1.0.0', 'latest-1', 'edgy', 'shabby', 'x.sigh', 'pr', 'sha'])('%s is free', (tag) => {
    expect(isReservedTag(tag)).toBe(false);
  });
});
