import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/outcome.ts';
import { readFleetFile } from '../../../src/settings/fleet-file.ts';

const read = (text: string) => readFleetFile(new TextEncoder().encode(text), 'fleet.yml');

function failure(text: string): Failure {
  try {
    read(text);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('fleet.yml', () => {
  it('is read with every key of an entry, and with the place of each', () => {
    const file = read(
      [
        'ledger: git:https://git.example.org/ops/ledger#main',
        'defaults: { test: { timeout: 20m } }',
        'recipes:',
        '  - { recipe: plausible, repository: https://git.example.org/mirror/plausible, mirror-of: https://git.example.com/coop/plausible, config: recipes/plausible.yml }',
        '  - { recipe: bluesky-pds, repository: https://git.example.org/mirror/bluesky-pds, enrolled: false, reason: "needs public DNS" }',
        '',
      ].join('\n'),
    );
    expect(file.value).toEqual({
      ledger: 'git:https://git.example.org/ops/ledger#main',
      defaults: { test: { timeout: '20m' } },
      recipes: [
        {
          recipe: 'plausible',
          repository: 'https://git.example.org/mirror/plausible',
          'mirror-of': 'https://git.example.com/coop/plausible',
          config: 'recipes/plausible.yml',
          enrolled: true,
        },
        {
          recipe: 'bluesky-pds',
          repository: 'https://git.example.org/mirror/bluesky-pds',
          enrolled: false,
          reason: 'needs public DNS',
        },
      ],
    });
    expect(file.at(['recipes', 1, 'repository'])).toEqual({ file: 'fleet.yml', line: 5, column: 28 });
  });

  it.each([
    [
      'recipes:\n  - recipe: a\n    repository: x\n  - recipe: a\n    repository: y\n',
      /:4:5: .*listed twice/,
    ],
    [
      'recipes:\n  - recipe: a\n    repository: x\n    repositry: x\n',
      /:4:5: .*not known; did you mean `repository`/,
    ],
    ['recipes:\n  - recipe: Bad Name\n    repository: x\n', /:2:5: .*lower-case/],
    ['ledger: x\n', /`recipes` is missing/],
  ])('says what is wrong in %j, and where', (text, message) => {
    const found = failure(text);
    expect(found.code).toBe('config-invalid');
    expect(found.findings.map((one) => one.message).join('\n')).toMatch(message);
  });

  it('reads a fleet without recipes: what that means is for the step', () => {
    expect(read('recipes: []\n').value.recipes).toEqual([]);
  });
});
