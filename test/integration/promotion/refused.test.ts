import { beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { type PromoteInput, promoteRelease } from '../../../src/promotion/promote.ts';
import { everything } from './by-hand.ts';
import { expectSettled } from './settled.ts';
import { inputFor, makeWorld, openTools, realWaiting, release, tagsOf, type World } from './world.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox();
});

const evidence = (world: World) => inputFor(world, '1.1.0').evidence!;

/** What is wrong with a run of 1.1.0, and the code that says so. */
const refusals: readonly [string, string, (world: World) => Partial<PromoteInput>][] = [
  ['red', 'not-green', (world) => ({ evidence: { ...evidence(world), verdict: 'red' } })],
  ['inconclusive', 'not-green', (world) => ({ evidence: { ...evidence(world), verdict: 'inconclusive' } })],
  ['warm', 'not-cold', (world) => ({ evidence: { ...evidence(world), cold: false } })],
  [
    'without a tag',
    'not-tagged',
    (world) => {
      const { commit } = world.releases['1.1.0']!;
      const version = commit.slice(0, 12);
      return {
        candidate: { ...inputFor(world, '1.1.0').candidate, version },
        evidence: { ...evidence(world), version },
      };
    },
  ],
  [
    'of a change',
    'evidence-from-change',
    (world) => ({ context: 'change', evidence: { ...evidence(world), context: 'change' } }),
  ],
  [
    'of a change that calls itself a release',
    'evidence-from-change',
    (world) => ({ context: 'change', evidence: { ...evidence(world), context: 'release' } }),
  ],
  [
    'with a dirty tree',
    'tree-dirty',
    (world) => ({ candidate: { ...inputFor(world, '1.1.0').candidate, dirty: ['Dockerfile'] } }),
  ],
  [
    'of an image that was never pushed',
    'source-missing',
    (world) => ({
      subject: { kind: 'image', image: world.image, digest: undefined },
      evidence: { ...evidence(world), subject: {} },
    }),
  ],
  [
    'not soaked',
    'soaking',
    (world) => ({ policy: { ...inputFor(world, '1.1.0').policy, minAgeMs: 3600_000 } }),
  ],
  [
    'from another repository',
    'recipe-owner-mismatch',
    () => ({ repository: 'git.example.org/somebody/else' }),
  ],
];

describe.each(['file', 'git'] as const)('with a ledger in %s', (kind) => {
  it('a run that is refused leaves record, trail and tags byte for byte as they were', async () => {
    const world = await makeWorld(box.registry.host, kind);
    await release(world, '1.0.0');
    await promoteRelease(inputFor(world, '1.0.0'), openTools(world));
    await release(world, '1.1.0');
    const before = await everything(world);
    for (const [what, code, change] of refusals) {
      const input = { ...inputFor(world, '1.1.0'), ...change(world) };
      // Evidence and run belong together, whatever else is wrong.
      const { answer, gate } = await promoteRelease(
        { ...input, run: input.evidence?.run ?? input.run },
        openTools(world),
      );
      expect(answer, what).toBe('refused');
      expect(gate.failing, what).toContain(code);
      expect(await everything(world), what).toEqual(before);
    }
    // And none of them was refused for a reason that all have.
    expect((await promoteRelease(inputFor(world, '1.1.0'), openTools(world))).answer).toBe('promoted');
  });

  it('a look-up without an answer decides nothing and writes nothing', async () => {
    const { Failure } = await import('../../../src/outcome.ts');
    const world = await makeWorld(box.registry.host, kind);
    await release(world, '1.0.0');
    const before = await everything(world);
    const lookups = {
      config: async () => {
        throw new Failure('git-unreachable', 'The remote does not answer.');
      },
    };
    const { answer, gate } = await promoteRelease(inputFor(world, '1.0.0'), openTools(world, { lookups }));
    expect(answer).toBe('refused');
    expect(gate.verdict).toBe('unknown');
    expect(gate.failing).toEqual(['cannot-determine']);
    expect(await everything(world)).toEqual(before);
  });

  it('a dry run writes nothing', async () => {
    const world = await makeWorld(box.registry.host, kind);
    await release(world, '1.0.0');
    const before = await everything(world);
    const { answer, moves } = await promoteRelease(
      inputFor(world, '1.0.0', { dryRun: true }),
      openTools(world),
    );
    expect(answer).toBe('planned');
    expect(moves.map(({ tag }) => tag)).toEqual(['1.0.0', '1.0', '1', 'latest']);
    expect(await everything(world)).toEqual(before);
  });

  it('an outage while an unfinished promotion is ended leaves it for the next run', async () => {
    const { Failure } = await import('../../../src/outcome.ts');
    const world = await makeWorld(box.registry.host, kind);
    await release(world, '1.0.0');
    await promoteRelease(inputFor(world, '1.0.0'), openTools(world));
    await release(world, '1.1.0');
    // It stops between its own tag and the floating ones, and cannot even say so in the ledger.
    const stop = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
      if (name === 'put 1.1' || name === 'renew intent') throw new Error('stopped');
      return act();
    };
    await expect(promoteRelease(inputFor(world, '1.1.0'), openTools(world, { write: stop }))).rejects.toThrow(
      'stopped',
    );
    const before = await tagsOf(world);
    expect(before).toMatchObject({ '1.1.0': '1.1.0', latest: '1.0.0' });

    const waiting = { ...realWaiting, now: () => Date.now() + 11 * 60_000 };
    let asked = 0;
    const lookups = {
      config: async () => {
        // The run's own gate is answered, and the one about the unfinished promotion is not.
        if (++asked === 2) throw new Failure('git-unreachable', 'The remote does not answer.');
        return { enrolled: true, enrolledBy: 'knowngood.yml', tiers: ['install', 'upgrade'], expectedNa: {} };
      },
    };
    const again = inputFor(world, '1.1.0', {}, waiting.now());
    await expect(promoteRelease(again, openTools(world, { waiting, lookups }))).rejects.toMatchObject({
      code: 'cannot-determine',
    });
    expect(await tagsOf(world)).toEqual(before);
    const { answer } = await promoteRelease(again, openTools(world, { waiting }));
    expect(answer).toBe('promoted');
    expect(await expectSettled(world)).toMatchObject({ version: '1.1.0', sequence: 2 });
  });
});
