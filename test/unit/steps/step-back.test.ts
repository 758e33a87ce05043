import { describe, expect, it } from 'vitest';
import type { UpgradeBaseSection } from '../../../src/dossier/schema.ts';
import { Failure } from '../../../src/outcome.ts';
import { step } from '../../../src/steps/step-back.ts';
import { commitOf } from '../rules/facts.ts';
import { digestFor, image, recordOf, type Scene, scene } from './step-back-step.ts';

const run = async (given: Scene) => {
  const { input, said, questions } = scene(given);
  const result = await step.run(input);
  return { ...result, said, questions, base: result.section?.upgradeBase as UpgradeBaseSection };
};
const codes = (result: { findings?: readonly { code: string }[] }): string[] =>
  (result.findings ?? []).map(({ code }) => code);

describe('outputs and section', () => {
  it('are those of the contract', async () => {
    const { outcome, reasons, outputs, base } = await run({
      version: '3.0.1',
      tags: ['2.9.0', '3.0.0', '3.0.1', '1.13.4_1'],
      record: recordOf('3.0.1'),
      images: ['3.0.1', '3.0.0', '2.9.0'],
      config: 'upgrade-base: 2.9.0\n',
    });
    expect([outcome, reasons]).toEqual(['done', ['pin']]);
    expect(outputs).toEqual({
      decision: 'run',
      'upgrade-base-version': '2.9.0',
      'upgrade-base-tag': '2.9.0',
      'upgrade-base-commit': commitOf('2.9.0'),
      'upgrade-base-ref': `${image}@${digestFor('2.9.0')}`,
      notes: '["crosses-major"]',
      rejected: JSON.stringify([
        { tag: '3.0.1', reason: 'tag-not-older' },
        { tag: '1.13.4_1', reason: 'tag-unparseable' },
      ]),
      'without-pin': JSON.stringify({
        decision: 'run',
        reason: 'samever-step-back',
        base: { version: '3.0.0', tag: '3.0.0', commit: commitOf('3.0.0') },
      }),
    });
    expect(base.considered.map(({ tag }) => tag)).toEqual(['3.0.0', '2.9.0']);
    expect(base.base?.ref).toBe(`${image}@${digestFor('2.9.0')}`);
  });

  it('leave out what there is not', async () => {
    const { outcome, outputs } = await run({ version: '1.0.0', tags: [] });
    expect(outcome).toBe('done');
    expect(Object.entries(outputs).filter(([, value]) => value !== undefined)).toEqual([
      ['decision', 'na'],
      ['notes', '[]'],
      ['rejected', '[]'],
    ]);
  });

  it('of a skip are a skipped step, and the section says so too', async () => {
    const { outcome, reasons, outputs, base } = await run({
      version: '1.0.0',
      tags: ['1.0.0'],
      context: 'release',
      record: recordOf('1.0.0'),
      candidate: { commit: commitOf('1.0.0'), tag: '1.0.0' },
      images: [],
    });
    expect([outcome, reasons, outputs.decision]).toEqual(['skipped', ['no-new-version'], 'skip']);
    expect(base.outcome).toBe('skipped');
  });

  it('hold a bounded list of rejected tags, those that matter first; the section has all', async () => {
    const tags = Array.from({ length: 3000 }, (_, index) => `nightly-${index}`);
    const { outputs, base, said, summary } = await run({
      version: '1.2.0',
      tags: [...tags, '1.0.0', '1.1.0'],
      config: 'known-broken: [1.1.0]\n',
    });
    const rejected = JSON.parse(outputs.rejected ?? '');
    expect(rejected).toHaveLength(500);
    expect(rejected[0]).toEqual({ tag: '1.1.0', reason: 'tag-known-broken' });
    expect(base.rejected).toHaveLength(3001);
    // Nobody reads three thousand rows.
    expect(said.length).toBeLessThan(20);
    expect(summary?.split('\n').length).toBeLessThan(25);
    expect(summary).toContain('and 2995 more');
  });
});

describe('the rules come from the release branch, unless a setting is given', () => {
  const tags = ['1.0.0', '1.1.0', '1.2.0'];
  const config = 'upgrade-base: 1.0.0\nknown-broken: [{ version: 1.2.0, reason: gone }]\n';
  it.each<[what: string, settings: NonNullable<Scene['settings']>, answer: string]>([
    ['the file', {}, '1.0.0 pin without 1.1.0'],
    ['pin by setting', { upgradeBase: '1.1.0' }, '1.1.0 pin without 1.1.0'],
    [
      'known-broken by setting',
      { knownBroken: ['1.1.0'], given: new Set(['known-broken'] as const) },
      '1.0.0 pin without 1.2.0',
    ],
    [
      'no tier asked for',
      { tiers: ['install'], given: new Set(['tiers'] as const) },
      'not-requested without none',
    ],
  ])('%s', async (_, settings, answer) => {
    const { reasons, outputs } = await run({ version: '1.3.0', tags, config, settings });
    const { base } = JSON.parse(outputs['without-pin'] ?? '{}');
    const { 'upgrade-base-tag': tag } = outputs;
    expect([...(tag === undefined ? [] : [tag]), reasons[0], 'without', base?.tag ?? 'none'].join(' ')).toBe(
      answer,
    );
  });

  it('a wrong pin is an error with its place, where it stands in the file', async () => {
    const asked = { version: '1.3.0', tags, config: 'recipe: a\nupgrade-base: 1.0.5\n' };
    await expect(run(asked)).rejects.toMatchObject({
      code: 'pin-not-a-release',
      message: expect.stringContaining('knowngood.yml:2:1: The pinned base "1.0.5"'),
    });
    await expect(run({ ...asked, settings: { upgradeBase: '1.0.6' } })).rejects.toMatchObject({
      message: expect.stringMatching(/^The pinned base "1\.0\.6"/),
    });
  });

  it.each([
    ['tiers: [install]', 'not-requested'],
    ['tiers: [install, upgrade]', 'previous-release'],
  ])('tiers of the file: %s', async (tiers, reason) => {
    expect((await run({ version: '1.3.0', tags, config: `test: { ${tiers} }\n` })).reasons).toEqual([reason]);
  });

  it('tiers by setting before those of the file', async () => {
    const asked = { tiers: ['install'], given: new Set(['tiers'] as const) };
    const file = 'test: { tiers: [install, upgrade] }\n';
    expect((await run({ version: '1.3.0', tags, config: file, settings: asked })).reasons).toEqual([
      'not-requested',
    ]);
  });

  it('tells what expected-na says', async () => {
    const { reasons, said, summary } = await run({
      version: '4.0.0',
      tags,
      config: 'expected-na: { upgrade: { reason: "manual database dump", versions: ">=4 <5" } }\n',
    });
    expect(reasons).toEqual(['expected-na']);
    expect(said.join('\n')).toContain('manual database dump');
    expect(summary).toContain('`manual database dump`');
  });

  it('tells a pull request that changes the file that it counts after the merge', async () => {
    expect(codes(await run({ version: '1.3.0', tags, changed: true }))).toContain('counts-after-merge');
    expect(codes(await run({ version: '1.3.0', tags, changed: false }))).not.toContain('counts-after-merge');
    const released = {
      context: 'release',
      candidate: { commit: commitOf('1.2.0'), tag: '1.2.0' },
    } as const;
    expect(codes(await run({ version: '1.2.0', tags, changed: true, ...released }))).not.toContain(
      'counts-after-merge',
    );
  });
});

describe('the ledger', () => {
  const tags = ['1.0.0', '1.1.0'];
  it('gives the canonical', async () => {
    expect((await run({ version: '1.2.0', tags, record: recordOf('1.0.0') })).reasons).toEqual(['canonical']);
  });
  it('that is missing counts as no canonical, with a warning', async () => {
    const result = await run({ version: '1.2.0', tags, ledger: 'missing' });
    expect(result.reasons).toEqual(['previous-release']);
    expect(codes(result)).toContain('ledger-missing');
  });
  it.each(['git-unreachable', 'git-denied', 'record-untrusted'] as const)(
    'that answers %s is an error, never "no canonical"',
    async (code) => {
      await expect(run({ version: '1.2.0', tags, ledger: new Failure(code) })).rejects.toMatchObject({
        code,
      });
    },
  );
  it('that nobody named is said in the log', async () => {
    const result = await run({ version: '1.2.0', tags, ledger: 'none' });
    expect(result.reasons).toEqual(['previous-release']);
    expect(result.said[0]).toContain('No ledger is named');
  });
  it('holds a version that was rolled back', async () => {
    const hold = { bad: ['1.1.0'], until: 'newer' as const, reason: 'x', by: 'x', at: 'x' };
    const result = await run({
      version: '1.1.0',
      tags,
      context: 'release',
      candidate: { commit: commitOf('1.1.0'), tag: '1.1.0' },
      record: { ...recordOf('1.0.0'), hold },
    });
    expect([result.outcome, result.reasons]).toEqual(['skipped', ['held']]);
  });
});

describe("the base's image", () => {
  const tags = ['1.0.0', '1.1.0', '1.2.0'];
  it('of the canonical is the one that was promoted, wherever its tag is now', async () => {
    // Somebody pushed other content under 1.2.0 since: the record's digest is another.
    const { outputs, questions } = await run({
      version: '1.3.0',
      tags,
      record: recordOf('1.2.0', 'promoted'),
      images: ['1.2.0', 'promoted'],
    });
    expect(outputs['upgrade-base-ref']).toBe(`${image}@${digestFor('promoted')}`);
    expect(questions).toEqual([`${image}@${digestFor('promoted')}`]);
  });

  it('of the canonical is never replaced by what its tag shows now', async () => {
    const { outputs, base } = await run({
      version: '1.3.0',
      tags,
      record: recordOf('1.2.0', 'promoted'),
      images: ['1.2.0', '1.1.0'],
    });
    expect(outputs['upgrade-base-tag']).toBe('1.1.0');
    expect(base.rejected).toContainEqual({ tag: '1.2.0', reason: 'base-image-missing' });
  });

  it.each<[what: string, tags: string[], version: string, images: string[], found: string | undefined]>([
    ['its version tag', ['1.0.0'], '1.1.0', ['1.0.0'], '1.0.0'],
    ['without the v, as build-push writes it', ['v1.0.0'], 'v1.1.0', ['1.0.0'], '1.0.0'],
    ['with the v, where others wrote it', ['v1.0.0'], 'v1.1.0', ['v1.0.0'], 'v1.0.0'],
    ['with an upstream version', ['1.0.0+v2'], '1.1.0', ['1.0.0_v2'], '1.0.0_v2'],
    ['nothing that floats', ['1.0.0'], '1.1.0', ['latest', '1', '1.0'], undefined],
  ])('is looked for under %s', async (_, git, version, images, found) => {
    const { outputs, reasons } = await run({ version, tags: git, images });
    expect(outputs['upgrade-base-ref']).toBe(
      found === undefined ? undefined : `${image}@${digestFor(found)}`,
    );
    if (found === undefined) expect(reasons).toEqual(['no-usable-older']);
  });

  it('that is gone makes the next older release the base, and is said', async () => {
    const result = await run({ version: '1.3.0', tags, images: ['1.0.0'] });
    expect(result.outputs['upgrade-base-tag']).toBe('1.0.0');
    expect(result.base.rejected.filter(({ reason }) => reason === 'base-image-missing')).toHaveLength(2);
    expect(codes(result)).toContain('base-image-missing');
    const said = result.findings?.find(({ code }) => code === 'base-image-missing');
    expect(said?.message).toContain('1.2.0, 1.1.0');
  });

  it('is asked for a few times, then all tags are listed at once', async () => {
    const many = Array.from({ length: 400 }, (_, index) => `1.0.${index}`);
    const { outputs, questions } = await run({ version: '1.1.0', tags: many, images: ['1.0.7'] });
    expect(outputs['upgrade-base-tag']).toBe('1.0.7');
    expect(questions.filter((question) => question === 'tags')).toHaveLength(1);
    expect(questions.length).toBeLessThan(20);
  });

  it('is not asked for where the recipe has no image of its own, or nothing is tested', async () => {
    expect((await run({ version: '1.3.0', tags })).questions).toEqual([]);
    const skipped = await run({ version: '1.3.0', tags, images: ['1.2.0'], context: 'release' });
    expect([skipped.outcome, skipped.questions]).toEqual(['skipped', []]);
  });

  it.each(['registry-denied', 'registry-unreachable', 'registry-failed'] as const)(
    'is not missing where the registry says %s',
    async (code) => {
      const asked = run({ version: '1.3.0', tags, images: new Failure(code) });
      await expect(asked).rejects.toMatchObject({ code, outcome: 'error' });
    },
  );

  it('counts for the answer without the pin, too', async () => {
    // Without its image 1.2.0 is no base for anybody: the pin on 1.1.0 changes nothing.
    const result = await run({
      version: '1.3.0',
      tags,
      images: ['1.1.0', '1.0.0'],
      config: 'upgrade-base: 1.1.0\n',
    });
    expect(result.reasons).toEqual(['pin']);
    expect(JSON.parse(result.outputs['without-pin'] ?? '').base.tag).toBe('1.1.0');
    expect(codes(result)).toContain('pin-redundant');
  });
});

describe('what a person reads', () => {
  it('is the base with its reason, then what was considered and rejected, and why', async () => {
    const { said, summary, findings } = await run({
      version: '3.0.1',
      tags: ['1.13.4_1', '2.0.0', '2.1.0', '3.0.0', '3.0.1'],
      record: recordOf('3.0.1'),
      config: [
        'known-broken:',
        '  - { version: 3.0.0, reason: "upstream entrypoint is gone" }',
        '  - version: 9.9.9',
        '    reason: nobody knows',
        'upgrade-base: 2.1.0',
        '',
      ].join('\n'),
    });
    expect(said).toEqual([
      '3.0.1 is upgraded from 2.1.0 (pin). The base is pinned.',
      `  commit ${commitOf('2.1.0')}`,
      '  without the pin: 2.1.0 (samever-step-back)',
      '  could also be: 2.0.0',
      '  rejected:',
      '    3.0.0     tag-known-broken  upstream entrypoint is gone',
      '    3.0.1     tag-not-older',
      '    1.13.4_1  tag-unparseable',
    ]);
    expect(summary).toBe(
      [
        '`3.0.1` is upgraded from **`2.1.0`** (`pin`): The base is pinned.',
        '',
        'Without the pin: `2.1.0 (samever-step-back)`.',
        '',
        '- `The known-broken entry 9.9.9 has expired, or is about no release.`',
        '',
        '- `The upgrade from 2.1.0 crosses a major version.`',
        '',
        '- `The answer is the same without the pin.`',
        '',
        '| tag | as upgrade base | why |',
        '| --- | --- | --- |',
        `| \`2.1.0\` | ✅ base | \`${commitOf('2.1.0')}\` |`,
        `| \`2.0.0\` | usable | \`${commitOf('2.0.0')}\` |`,
        '| `3.0.0` | `tag-known-broken` | `upstream entrypoint is gone` |',
        '| `3.0.1` | `tag-not-older` | The release is not older than the candidate. |',
        '| `1.13.4_1` | `tag-unparseable` | The tag is not a version. |',
        '',
        '`Delete lines 3 to 4 of knowngood.yml:`',
        '',
        '```text',
        '  - version: 9.9.9',
        '    reason: nobody knows',
        '```',
        '',
        '`Delete line 5 of knowngood.yml:`',
        '',
        '```text',
        'upgrade-base: 2.1.0',
        '```',
      ].join('\n'),
    );
    expect(findings?.find(({ code }) => code === 'pin-redundant')).toMatchObject({
      level: 'warning',
      remedy: 'Delete line 5 of knowngood.yml: upgrade-base: 2.1.0',
      at: { file: 'knowngood.yml', line: 5 },
    });
  });

  it.each([
    ['all-older-known-broken', '1.1.0', ['1.0.0'], 'known-broken: [1.0.0]\n'],
    ['no-older-release', '0.9.0', ['1.0.0'], ''],
    ['no-usable-older', '1.1.0', ['1.1.0-rc.1'], ''],
    ['target-unparseable', 'today', ['1.0.0'], ''],
  ] as const)('is told to look at an answer without a base: %s', async (reason, version, tags, config) => {
    const result = await run({ version, tags, config });
    expect([result.outcome, result.reasons]).toEqual(['done', [reason]]);
    expect(result.findings?.find(({ code }) => code === reason)?.level).toBe('warning');
  });

  it('shows tags for a skip only where they explain it', async () => {
    const release = {
      context: 'release',
      candidate: { commit: commitOf('1.0.0'), tag: '1.0.0' },
    } as const;
    const tags = ['nightly'];
    const never = await run({ version: '1.0.0', tags, ...release });
    expect([never.reasons, never.said.join('\n')]).toEqual([
      ['never-released'],
      expect.stringContaining('nightly'),
    ]);
    const same = await run({
      version: '1.0.0',
      tags: [...tags, '1.0.0'],
      record: recordOf('1.0.0'),
      ...release,
    });
    expect(same.said).toEqual([
      'Nothing to test for 1.0.0 (no-new-version). The candidate is the canonical already.',
    ]);
    expect(same.outputs.rejected).toContain('nightly');
  });

  it('cannot be changed by the text of a tag', async () => {
    const nasty = '1.x|`@team`<img src=x>[a](http://x)';
    const { summary } = await run({ version: '1.1.0', tags: ['1.0.0', nasty] });
    const row = summary?.split('\n').find((line) => line.includes('@team'));
    expect(row).toBe(
      '| ``1.x\\|`@team`<img src=x>[a](http://x)`` | `tag-unparseable` | The tag is not a version. |',
    );
  });
});
