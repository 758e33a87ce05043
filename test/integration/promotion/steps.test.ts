import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import type { Candidate } from '../../../src/dossier/schema.ts';
import { fileStore } from '../../../src/ledger/file.ts';
import { ledgerOver } from '../../../src/ledger/records.ts';
import { step as hold } from '../../../src/steps/hold.ts';
import { step as promote } from '../../../src/steps/promote.ts';
import { step as rollback } from '../../../src/steps/rollback.ts';
import type { FreeStepInput } from '../../../src/steps/step.ts';
import { changeByHand, everything } from './by-hand.ts';
import { type Given, inputOf } from './step-input.ts';
import { makeWorld, realWaiting, release, tagsOf, type World } from './world.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox();
});

const free = (world: World, version: string, given: Given): FreeStepInput => inputOf(world, version, given);

async function twoReleases(): Promise<World> {
  const world = await makeWorld(box.registry.host, 'file');
  await release(world, '1.0.0');
  expect(await promote.run(inputOf(world, '1.0.0'))).toMatchObject({ outcome: 'done' });
  await release(world, '1.1.0');
  return world;
}

describe('the step promote', () => {
  it('answers what is there: outputs, section, table; and again that there is nothing to do', async () => {
    const world = await twoReleases();
    const input = inputOf(world, '1.1.0');
    const result = await promote.run(input);
    const { digest } = world.releases['1.1.0']!;
    expect(result).toMatchObject({
      outcome: 'done',
      reasons: ['promoted'],
      outputs: {
        promoted: 'true',
        'canonical-version': '1.1.0',
        'canonical-digest': digest,
        sequence: '2',
        'published-tags': '["1.1.0","1.1","1","latest"]',
      },
      section: { promotion: { promoted: true, canonicalVersion: '1.1.0', sequence: 2 } },
    });
    expect(result.outputs['eligible-at']).toBeUndefined();
    const gate = JSON.parse(result.outputs.gate!);
    expect(gate).toHaveLength(33);
    expect(Object.keys(gate[0])).toEqual(['code', 'verdict', 'found', 'remedy']);
    // The log has the gate before what was done because of it.
    const said = input.said();
    expect(said.indexOf('Green: every required tier passed')).toBeLessThan(
      said.indexOf(`:latest → ${digest}`),
    );

    const before = await everything(world);
    const again = await promote.run(inputOf(world, '1.1.0'));
    expect(again).toMatchObject({
      outcome: 'skipped',
      reasons: ['already-canonical'],
      outputs: { promoted: 'false', 'canonical-version': '1.1.0', sequence: '2' },
    });
    expect(await everything(world)).toEqual(before);
  });

  const endings: readonly [string, Given, string, readonly string[]][] = [
    ['a red test', { test: { verdict: 'red' } }, 'refused', ['not-green']],
    ['a change', { runContext: 'change', test: { context: 'change' } }, 'refused', ['evidence-from-change']],
    [
      'an untagged commit',
      { candidate: { version: 'unreleased' } },
      'refused',
      ['not-latest', 'not-tagged', 'would-demote', 'digest-mismatch', 'evidence-unbound'],
    ],
    ['a recipe that is not enrolled', { config: 'enrolled: false' }, 'refused', ['not-enrolled']],
    [
      'a tier that the release branch asks for',
      { config: 'test: { tiers: [install, upgrade, { name: backup, exec: x }] }' },
      'refused',
      ['not-green'],
    ],
    ['a release that has to wait', { settings: { 'min-age': '1h' } }, 'skipped', ['soaking']],
    [
      'one that has to wait, and is red',
      { settings: { 'min-age': '1h' }, test: { verdict: 'red' } },
      'refused',
      ['not-green', 'soaking'],
    ],
    ['an old test', { settings: { 'max-evidence-age': '1ms' } }, 'skipped', ['evidence-stale']],
    [
      'a required signature and no policy',
      { settings: { require: 'signature' } },
      'refused',
      ['signature-missing'],
    ],
    [
      'a platform that is not there',
      { settings: { 'require-platforms': 'linux/riscv64' } },
      'refused',
      ['platform-missing'],
    ],
    [
      'an image that was never pushed',
      { test: { subject: { kind: 'image', image: 'elsewhere.example.org/app' } } },
      'refused',
      ['source-missing', 'evidence-unbound'],
    ],
    ['a dry run', { settings: { 'dry-run': 'true' } }, 'skipped', ['dry-run']],
  ];
  it('answers with outcome and codes, and writes nothing', async () => {
    const world = await twoReleases();
    const before = await everything(world);
    for (const [what, given, outcome, reasons] of endings) {
      const result = await promote.run(inputOf(world, '1.1.0', given));
      expect([result.outcome, [...result.reasons].sort()], what).toEqual([outcome, [...reasons].sort()]);
      expect(result.outputs.promoted, what).toBe('false');
      expect(result.outputs['canonical-version'], what).toBe('1.0.0');
      if (reasons[0] === 'soaking' && outcome === 'skipped') {
        const eligible = Date.parse(result.outputs['eligible-at']!);
        expect(Math.abs(eligible - Date.now() - 3600_000), what).toBeLessThan(120_000);
      } else expect(result.outputs['eligible-at'], what).toBeUndefined();
      expect(await everything(world), what).toEqual(before);
    }
  });

  it('looks at the checkout again: what ran in the job may have changed it', async () => {
    const world = await twoReleases();
    const { candidate } = inputOf(world, '1.1.0');
    const changed = (now: Partial<Candidate>) =>
      inputOf(world, '1.1.0', { tools: { checkoutNow: async () => ({ ...candidate, ...now }) } });
    const dirty = await promote.run(changed({ dirty: ['Dockerfile'] }));
    expect([dirty.outcome, dirty.reasons]).toEqual(['refused', ['tree-dirty']]);
    const elsewhere = changed({ checkout: '1'.repeat(40) });
    await expect(promote.run(elsewhere)).rejects.toMatchObject({ code: 'candidate-changed' });
  });

  it('asks the fleet too whether the recipe is enrolled, in a run of a fleet', async () => {
    const world = await twoReleases();
    const input = inputOf(world, '1.1.0');
    const projectNow = async () => ({ ...(await input.tools.projectNow()), fleet: { enrolled: false } });
    const result = await promote.run(inputOf(world, '1.1.0', { tools: { projectNow } }));
    expect([result.outcome, result.reasons]).toEqual(['refused', ['not-enrolled']]);
    expect(result.outputs.gate).toContain('fleet.yml says `enrolled: false`');
  });

  it('leaves floating tags alone where it is told to', async () => {
    const world = await twoReleases();
    const result = await promote.run(inputOf(world, '1.1.0', { settings: { 'floating-tags': 'never' } }));
    expect([result.outcome, result.outputs['published-tags']]).toEqual(['done', '["1.1.0"]']);
    expect(await tagsOf(world)).toMatchObject({ latest: '1.0.0', '1.1.0': '1.1.0' });
  });

  it('takes an outage for an outage', async () => {
    const world = await twoReleases();
    const { Failure } = await import('../../../src/outcome.ts');
    const away = async (): Promise<never> => {
      throw new Failure('git-unreachable', 'The remote does not answer.');
    };
    const result = await promote.run(inputOf(world, '1.1.0', { tools: { projectNow: away } }));
    expect([result.outcome, result.reasons]).toEqual(['error', ['cannot-determine']]);
  });

  const broken: readonly [string, Given, string][] = [
    ['a test section that is none', { test: { tiers: 'pass' as never } }, 'evidence-unbound'],
    ['a test section without its end', { test: { finishedAt: 5 as never } }, 'evidence-unbound'],
    ['no ledger', { tools: { ledger: async () => undefined } }, 'setting-missing'],
    [
      'a ledger that is not there',
      {
        tools: {
          ledger: async () => ledgerOver(fileStore({ folder: '/nonexistent/ledger', waiting: realWaiting })),
        },
      },
      'ledger-missing',
    ],
  ];
  it.each(broken)('with %s fails by its code', async (_what, given, code) => {
    const world = await twoReleases();
    const before = await everything(world);
    await expect(promote.run(inputOf(world, '1.1.0', given))).rejects.toMatchObject({ code });
    expect(await everything(world)).toEqual(before);
  });

  it('makes the ledger where `ledger-init` asks for it, and not in a dry run', async () => {
    const world = await makeWorld(box.registry.host, 'file');
    await release(world, '1.0.0');
    const folder = join(mkdtempSync(join(tmpdir(), 'knowngood-init-')), 'ledger');
    const there = { ...world, ledger: { kind: 'file' as const, folder } };
    const dry = { settings: { 'ledger-init': 'true', 'dry-run': 'true' } };
    await expect(promote.run(inputOf(there, '1.0.0', dry))).rejects.toMatchObject({ code: 'ledger-missing' });
    const result = await promote.run(inputOf(there, '1.0.0', { settings: { 'ledger-init': 'true' } }));
    expect(result).toMatchObject({ outcome: 'done', outputs: { sequence: '1' } });
  });

  it('says when a promotion that another run has begun may be taken over', async () => {
    const world = await twoReleases();
    const expires = new Date(Date.now() + 5 * 60_000).toISOString();
    changeByHand(world, (files) =>
      files.write(
        'app/intent.json',
        JSON.stringify({
          nonce: 'another-run',
          version: '1.1.0',
          digest: world.releases['1.1.0']!.digest,
          sequence: 2,
          tags: [],
          run: 'github-6-1',
          expires,
        }),
      ),
    );
    const result = await promote.run(inputOf(world, '1.1.0'));
    expect(result).toMatchObject({
      outcome: 'skipped',
      reasons: ['concurrent-promotion'],
      outputs: { 'eligible-at': expires },
    });
  });
});

describe('the steps rollback and hold', () => {
  it('go back, hold, refuse the held version, and let go', async () => {
    const world = await twoReleases();
    await promote.run(inputOf(world, '1.1.0'));
    const settings = { recipe: 'app', why: 'it loses notes' };

    const plan = await rollback.run(free(world, '1.1.0', { settings: { ...settings, 'dry-run': 'true' } }));
    expect([plan.outcome, plan.outputs['canonical-version']]).toEqual(['skipped', '1.1.0']);
    const back = await rollback.run(free(world, '1.1.0', { settings }));
    expect(back).toMatchObject({
      outcome: 'done',
      reasons: ['rolled-back'],
      outputs: {
        promoted: 'true',
        'canonical-version': '1.0.0',
        sequence: '3',
        'published-tags': '["1.0.0","1.0","1","latest"]',
      },
    });

    const held = await promote.run(inputOf(world, '1.1.0'));
    expect([held.outcome, held.reasons]).toEqual(['refused', ['held']]);

    const lifted = await hold.run(free(world, '1.1.0', { settings: { ...settings, lift: 'true' } }));
    expect(lifted).toMatchObject({ outcome: 'done', reasons: ['hold-lifted'], outputs: { held: 'false' } });
    const none = await hold.run(free(world, '1.1.0', { settings: { ...settings, lift: 'true' } }));
    expect(none).toMatchObject({ outcome: 'skipped', reasons: ['hold-absent'] });
    expect(await promote.run(inputOf(world, '1.1.0'))).toMatchObject({
      outcome: 'done',
      outputs: { sequence: '5' },
    });

    const byHand = await hold.run(free(world, '1.1.0', { settings: { ...settings, version: '1.2.0' } }));
    expect(byHand).toMatchObject({ outcome: 'done', reasons: ['hold-set'], outputs: { held: 'true' } });
    await release(world, '1.2.0');
    expect((await promote.run(inputOf(world, '1.2.0'))).reasons).toEqual(['held']);
  });

  it.each([
    ['rollback', rollback, {}, 'setting-missing'],
    ['hold', hold, { version: '1.1.0' }, 'setting-missing'],
    ['hold of nothing', hold, { why: 'x' }, 'setting-missing'],
    ['rollback to what was never promoted', rollback, { why: 'x', to: '0.9.0' }, 'rollback-target-unknown'],
  ] as const)('%s that lacks something fails by its code', async (_what, step, settings, code) => {
    const world = await twoReleases();
    const before = await everything(world);
    await expect(
      step.run(free(world, '1.1.0', { settings: { recipe: 'app', ...settings } })),
    ).rejects.toMatchObject({ code });
    expect(await everything(world)).toEqual(before);
  });

  it('take the recipe’s name from the release branch where no setting gives it', async () => {
    const world = await twoReleases();
    await promote.run(inputOf(world, '1.1.0'));
    const given = {
      settings: { why: 'x', version: '9.0.0' },
      config: 'recipe: app',
      tools: { recipeName: 'folder' },
    };
    expect(await hold.run(free(world, '1.1.0', given))).toMatchObject({ reasons: ['hold-set'] });
  });
});
