import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latestStable, listReleases, parsePattern, type TagFact } from '../../../../src/rules/releases.ts';
import { isUnchanged, type TriggerInput } from '../../../../src/rules/sweep/trigger.ts';
import { type Canonical, triage } from '../../../../src/rules/triage.ts';

const commitOf = (name: string): string => `commit of ${name}`;
const remote = (...names: string[]): TriggerInput['tags'] =>
  names.map((name) => ({ name, commit: commitOf(name) }));
const canonical = (version: string, tag = version, more: Partial<Canonical> = {}): Canonical => ({
  version,
  tag,
  commit: commitOf(tag),
  hold: null,
  ...more,
});

describe('names of tags alone tell that nothing is new', () => {
  it.each<[string, TriggerInput, boolean]>([
    [
      'the canonical is the newest',
      { tags: remote('1.0.0', '1.1.0'), pattern: '*', canonical: canonical('1.1.0') },
      true,
    ],
    ['nothing is canonical yet', { tags: remote('1.0.0'), pattern: '*', canonical: undefined }, false],
    ['no tag at all', { tags: [], pattern: '*', canonical: canonical('1.0.0') }, false],
    ['a newer one', { tags: remote('1.0.0', '1.0.1'), pattern: '*', canonical: canonical('1.0.0') }, false],
    [
      'a newer build',
      { tags: remote('1.0.0+v1', '1.0.0+v2'), pattern: '*', canonical: canonical('1.0.0+v1') },
      false,
    ],
    [
      'ten is more than nine',
      { tags: remote('1.9.0', '1.10.0'), pattern: '*', canonical: canonical('1.9.0') },
      false,
    ],
    [
      'a newer prerelease is for the history to judge',
      { tags: remote('1.0.0', '2.0.0-rc.1'), pattern: '*', canonical: canonical('1.0.0') },
      false,
    ],
    [
      'the tag was moved',
      { tags: [{ name: '1.0.0', commit: 'another' }], pattern: '*', canonical: canonical('1.0.0') },
      false,
    ],
    ['the tag is gone', { tags: remote('0.9.0'), pattern: '*', canonical: canonical('1.0.0') }, false],
    [
      'something is held',
      {
        tags: remote('1.0.0'),
        pattern: '*',
        canonical: canonical('1.0.0', '1.0.0', { hold: { bad: ['1.1.0'], until: 'newer' } }),
      },
      false,
    ],
    [
      'a second spelling on the same commit',
      {
        tags: [...remote('1.0.0'), { name: 'v1.0.0', commit: commitOf('1.0.0') }],
        pattern: '*',
        canonical: canonical('1.0.0'),
      },
      true,
    ],
    [
      'a second spelling elsewhere',
      { tags: remote('1.0.0', 'v1.0.0'), pattern: '*', canonical: canonical('1.0.0') },
      false,
    ],
    [
      'tags that are no versions',
      { tags: remote('1.0.0', 'nightly', 'latest', '2024'), pattern: '*', canonical: canonical('1.0.0') },
      true,
    ],
    [
      'upstream versions in the build',
      { tags: remote('1.0.0+v9.0.0', '0.9.0+v8.0.0'), pattern: '*', canonical: canonical('1.0.0+v9.0.0') },
      true,
    ],
    [
      'a pattern of its own that the fleet does not know, nothing newer',
      { tags: remote('app/v1.0.0', 'app/v0.9.0'), pattern: '*', canonical: canonical('1.0.0', 'app/v1.0.0') },
      true,
    ],
    [
      'a pattern of its own, something newer',
      { tags: remote('app/v1.0.0', 'app/v1.1.0'), pattern: '*', canonical: canonical('1.0.0', 'app/v1.0.0') },
      false,
    ],
    [
      'a pattern that changed since',
      { tags: remote('1.0.0', 'release-2.0.0'), pattern: '*', canonical: canonical('1.0.0') },
      false,
    ],
    [
      'another component, where the pattern could be another',
      { tags: remote('1.0.0', 'other/v9.0.0'), pattern: '*', canonical: canonical('1.0.0') },
      false,
    ],
    [
      'another component, where the pattern is sure',
      {
        tags: remote('1.0.0', 'other/v9.0.0'),
        pattern: '*',
        patternIsSure: true,
        canonical: canonical('1.0.0'),
      },
      true,
    ],
    [
      'the pattern of a maintenance line',
      { tags: remote('2.1.0', '3.0.0'), pattern: '2.*', patternIsSure: true, canonical: canonical('2.1.0') },
      true,
    ],
    [
      'a pattern that reads another version out of the promoted tag',
      { tags: remote('1.0.0-2.0.0'), pattern: '*', canonical: canonical('2.0.0', '1.0.0-2.0.0') },
      false,
    ],
    [
      'a number that no double holds',
      { tags: remote('1.0.0', `x-1.0.${'9'.repeat(300)}`), pattern: '*', canonical: canonical('1.0.0') },
      false,
    ],
    [
      'a star in a tag cannot be a pattern',
      { tags: remote('a*1.0.0'), pattern: 'b*', canonical: canonical('1.0.0', 'a*1.0.0') },
      true,
    ],
  ])('%s', (_name, input, expected) => {
    expect(isUnchanged(input)).toBe(expected);
  });

  const version = fc
    .tuple(
      fc.nat(2),
      fc.nat(2),
      fc.nat(11),
      fc.constantFrom('', '-rc.1', '-beta.2'),
      fc.constantFrom('', '+v1.0.0', '+v2.1.0'),
    )
    .map(([a, b, c, pre, build]) => `${a}.${b}.${c}${pre}${build}`);
  const patterns = ['*', 'v*', 'app/v*', 'release-*', '1.*', '*-final'];
  const tagName = fc.oneof(
    fc.tuple(fc.constantFrom(...patterns), version).map(([pattern, text]) => pattern.replace('*', text)),
    fc.constantFrom('latest', 'nightly', 'other/v1.2.3'),
  );

  it('never where the history would say that something is new, whatever the recipe’s own pattern', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(tagName, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(...patterns),
        fc.infiniteStream(fc.boolean()),
        fc.nat(7),
        fc.boolean(),
        (names, pattern, reachable, index, sure) => {
          const tags: TagFact[] = names.map((name) => ({
            name,
            commit: commitOf(name),
            tree: 't',
            reachable: reachable.next().value,
            ancestor: true,
          }));
          const promoted = names[index % names.length]!;
          const at = parsePattern(pattern).versionIn(promoted);
          const last = at === undefined ? undefined : canonical(at, promoted);
          const told = isUnchanged({
            tags: remote(...names),
            pattern: sure ? pattern : '*',
            patternIsSure: sure,
            canonical: last,
          });
          if (!told) return;
          // Tags that the fleet's pattern reads as a whole are taken at their word.
          const list = listReleases(tags, parsePattern(pattern), [promoted]);
          const newest = latestStable(list) ?? list.releases[0];
          if (newest === undefined) return;
          const target = { version: newest.version.raw, tag: newest.tag, commit: newest.commit };
          expect(triage({ list, target, canonical: last })).toBeDefined();
        },
      ),
      { numRuns: 5000 },
    );
  });
});
