import { describe, expect, it } from 'vitest';
import { readRecipeFile } from '../../../src/settings/recipe-file.ts';
import { lintRules } from '../../../src/steps/step-back/lint.ts';
import { asked, canonical } from '../rules/facts.ts';

const tags = ['1.0.0', '1.1.0', '1.2.0'];

/** What the lint says, a line each: `<line> <code>: <remedy>`. */
function lint(yaml: string, version = '1.3.0', more: Parameters<typeof asked>[2] = {}): string[] {
  const file = readRecipeFile(new TextEncoder().encode(yaml), 'knowngood.yml');
  const question = asked(version, tags, { canonical: canonical('1.2.0'), ...more });
  return lintRules(file, question).map(({ code, at, remedy }) => `${at?.line} ${code}: ${remedy}`);
}

describe('the lint of knowngood.yml', () => {
  it.each<[what: string, yaml: string, said: string[]]>([
    ['nothing', '', []],
    ['entries that do something', 'known-broken: [1.0.0]\nupgrade-base: 1.1.0\n', []],
    [
      'a redundant pin',
      'upgrade-base: 1.2.0\n',
      ['1 pin-redundant: Delete line 1 of knowngood.yml: upgrade-base: 1.2.0'],
    ],
    [
      'a redundant pin over several lines',
      'image: a/b\nupgrade-base:\n  version: 1.2.0\n  for: ">=1"\ndrift: {}\n',
      ['2 pin-redundant: Delete lines 2 to 4 of knowngood.yml: upgrade-base: version: 1.2.0 for: ">=1"'],
    ],
    [
      'an expired pin',
      'upgrade-base: { version: 1.1.0, until: 2026-06-14 }\n',
      ['1 pin-stale: Delete line 1 of knowngood.yml: upgrade-base: { version: 1.1.0, until: 2026-06-14 }'],
    ],
    [
      'a pin that waits for another version: nothing to delete',
      'upgrade-base: { version: 1.1.0, for: ">=2" }\n',
      ['undefined pin-stale: Delete the pin if no version of its range is to come.'],
    ],
    [
      'an unused entry among others',
      'known-broken:\n  - 1.0.0\n  - { version: 9.0.0 }\n  - 1.1.0\n',
      ['3 known-broken-unused: Delete line 3 of knowngood.yml: - { version: 9.0.0 }'],
    ],
    [
      'an expired entry',
      'known-broken:\n  - 1.0.0\n  - version: 1.1.0\n    until: 2026-01-01\n',
      ['3 known-broken-unused: Delete lines 3 to 4 of knowngood.yml: - version: 1.1.0 until: 2026-01-01'],
    ],
    [
      'the only entry: its key goes too',
      'known-broken:\n  - 9.0.0\n',
      ['1 known-broken-unused: Delete lines 1 to 2 of knowngood.yml: known-broken: - 9.0.0'],
    ],
    [
      'all entries: an empty key would be no list',
      'known-broken:\n  - 9.0.0\n  - 9.1.0\n',
      [
        '1 known-broken-unused: Delete lines 1 to 3 of knowngood.yml: known-broken: - 9.0.0 - 9.1.0',
        '1 known-broken-unused: Delete lines 1 to 3 of knowngood.yml: known-broken: - 9.0.0 - 9.1.0',
      ],
    ],
    [
      'an entry that shares its line',
      'known-broken: [1.0.0, 9.0.0]\n',
      ['1 known-broken-unused: Take it out of line 1 of knowngood.yml: known-broken: [1.0.0, 9.0.0]'],
    ],
    [
      'an entry that shares a line of a list over several lines',
      'known-broken: [\n  1.0.0, 9.0.0,\n]\n',
      ['2 known-broken-unused: Take it out of line 2 of knowngood.yml: 1.0.0, 9.0.0,'],
    ],
    [
      'a pin that shares its line',
      '{ image: a/b, upgrade-base: 1.2.0 }\n',
      ['1 pin-redundant: Take it out of line 1 of knowngood.yml: { image: a/b, upgrade-base: 1.2.0 }'],
    ],
    [
      'a pin that step-back would refuse, and the entries besides',
      'known-broken:\n  - 1.0.0\n  - 9.0.0\nupgrade-base: 1.0.5\n',
      [
        '4 pin-not-a-release: Pin a release tag, or remove the pin.',
        '3 known-broken-unused: Delete line 3 of knowngood.yml: - 9.0.0',
      ],
    ],
    [
      'a pin that is known broken',
      'known-broken: [1.0.0]\nupgrade-base: 1.0.0\n',
      ['2 pin-known-broken: Pin another release, or remove one of the two entries.'],
    ],
  ])('%s', (_, yaml, said) => expect(lint(yaml)).toEqual(said));

  it('says the same in a release, with tiers that leave the upgrade out, and without a ledger', () => {
    const said = ['1 pin-redundant: Delete line 1 of knowngood.yml: upgrade-base: 1.2.0'];
    expect(lint('upgrade-base: 1.2.0\n', '1.3.0', { context: 'release' })).toEqual(said);
    expect(lint('upgrade-base: 1.2.0\n', '1.3.0', { upgrade: false })).toEqual(said);
    expect(lint('upgrade-base: 1.2.0\n', '1.3.0', { canonical: undefined })).toEqual(said);
  });

  it('knows expired entries even where there is no answer', () => {
    const yaml = 'known-broken:\n  - 1.0.0\n  - { version: 1.1.0, until: 2026-01-01 }\n';
    const missing = { target: { version: { state: 'missing' as const, places: ['compose.yml'] } } };
    expect(lint(yaml, '', missing)).toEqual([
      '3 known-broken-unused: Delete line 3 of knowngood.yml: - { version: 1.1.0, until: 2026-01-01 }',
    ]);
  });

  it('says lines whose deletion leaves a valid file without the entry', () => {
    const yaml = 'recipe: a\nknown-broken:\n  - 1.0.0\n  - 9.0.0\nupgrade-base: 1.2.0\n';
    const lines = yaml.split('\n');
    const gone = new Set(lint(yaml).map((line) => Number(/Delete line (\d+)/.exec(line)?.[1])));
    const left = lines.filter((_, index) => !gone.has(index + 1)).join('\n');
    expect(lint(left)).toEqual([]);
    expect(readRecipeFile(new TextEncoder().encode(left), 'knowngood.yml').value).toMatchObject({
      recipe: 'a',
      'known-broken': [{ version: '1.0.0' }],
    });
  });
});
