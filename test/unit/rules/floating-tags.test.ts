import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { floatingNames, floatingTargets, planFloatingTags } from '../../../src/rules/floating-tags.ts';
import { compareVersions, parseVersion } from '../../../src/rules/version.ts';

const release = (version: string) => ({ version, digest: digestOf(version) });
const has = (entries: Record<string, string>): ReadonlyMap<string, Digest> =>
  new Map(Object.entries(entries).map(([tag, version]) => [tag, digestOf(version)]));

describe('planFloatingTags', () => {
  it.each<[string, string[], string, Record<string, string>, string[], string[], string[]]>([
    // promoted, candidate, registry has · moves, kept, foreign
    ['the first release', [], '3.0.1', {}, ['3.0', '3', 'latest'], [], []],
    [
      'the next release',
      ['3.0.1'],
      '3.0.2',
      { '3': '3.0.1', '3.0': '3.0.1', latest: '3.0.1' },
      ['3.0', '3', 'latest'],
      [],
      [],
    ],
    [
      'a patch of an old line',
      ['2.1.0', '3.0.1'],
      '2.1.1',
      { '2': '2.1.0', latest: '3.0.1' },
      ['2.1', '2'],
      ['latest'],
      [],
    ],
    [
      'an old line below another',
      ['2.2.0', '3.0.1'],
      '2.1.1',
      { latest: '3.0.1' },
      ['2.1'],
      ['2', 'latest'],
      [],
    ],
    ['a prerelease', ['3.0.1'], '4.0.0-rc.1', {}, [], [], []],
    ['zero has no floating 0', [], '0.3.1', {}, ['0.3', 'latest'], [], []],
    ['what is no version', [], 'nightly', {}, [], [], []],
    [
      'builds count',
      ['3.0.1+v2.0.0'],
      '3.0.1+v10.0.0',
      { latest: '3.0.1+v2.0.0' },
      ['3.0', '3', 'latest'],
      [],
      [],
    ],
    [
      'an older build',
      ['3.0.1+v10.0.0'],
      '3.0.1+v2.0.0',
      { latest: '3.0.1+v10.0.0' },
      [],
      ['3.0', '3', 'latest'],
      [],
    ],
    ['right already', ['3.0.1'], '3.0.1', { '3': '3.0.1', '3.0': '3.0.1', latest: '3.0.1' }, [], [], []],
    [
      'a higher tag that only the registry has is not obeyed',
      ['3.0.1'],
      '3.0.2',
      { latest: '9.9.9' },
      ['3.0', '3', 'latest'],
      [],
      ['latest'],
    ],
  ])('%s', (_, promoted, candidate, existing, moves, kept, foreign) => {
    const plan = planFloatingTags(promoted.map(release), release(candidate), has(existing));
    expect(plan.moves.map((move) => move.tag)).toEqual(moves);
    expect(plan.kept.map((tag) => tag.tag)).toEqual(kept);
    expect(plan.foreign.map((tag) => tag.tag)).toEqual(foreign);
    for (const move of plan.moves) {
      expect(move.to).toBe(digestOf(candidate));
      expect(move.from).toBe(existing[move.tag] === undefined ? undefined : digestOf(existing[move.tag]!));
    }
  });

  it('puts latest last, since it is what most people pull', () => {
    expect(floatingNames('12.4.0').at(-1)).toBe('latest');
  });

  it('never goes back, in whatever order releases are promoted', () => {
    const version = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(fc.uniqueArray(version, { minLength: 1, maxLength: 8 }), (order) => {
        const tags = new Map<string, Digest>();
        const promoted: { version: string; digest: Digest }[] = [];
        const at = new Map<string, string>();
        for (const next of order) {
          for (const move of planFloatingTags(promoted, release(next), tags).moves) {
            const before = at.get(move.tag);
            if (before)
              expect(compareVersions(parseVersion(next)!, parseVersion(before)!)).toBeGreaterThan(0);
            tags.set(move.tag, move.to);
            at.set(move.tag, next);
          }
          promoted.push(release(next));
        }
        for (const [tag, target] of floatingTargets(promoted)) expect(tags.get(tag)).toBe(target.digest);
        expect(tags.has('0')).toBe(false);
      }),
    );
  });
});
