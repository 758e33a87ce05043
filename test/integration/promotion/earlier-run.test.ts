import { beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import type { TestSection } from '../../../src/dossier/schema.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { Failure } from '../../../src/outcome.ts';
import { readEvidence } from '../../../src/promotion/judged-on.ts';
import { droneRun } from '../../../src/provenance/drone-run.ts';
import type { Policy } from '../../../src/provenance/policy.ts';
import { attach } from '../../../src/provenance/referrers.ts';
import { predicateTypes } from '../../../src/provenance/statement.ts';
import { testStatement } from '../../../src/provenance/statements.ts';
import { step as promote } from '../../../src/steps/promote.ts';
import { evidenceOf } from '../../../src/steps/promotion/evidence.ts';
import {
  droneFacts,
  newKey,
  policyOf,
  repository,
  signedBundle,
  virtualClock,
} from '../../unit/provenance/scene.ts';
import { everything } from './by-hand.ts';
import { inputOf } from './step-input.ts';
import { makeWorld, openLedger, openRegistry, release, type World } from './world.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox();
});

const ours = newKey();
const stranger = newKey();
const policy = policyOf(ours.key, { predicates: [predicateTypes.provenance] });
const earlier = 'drone-41-1';

/** What the run of yesterday tested, signed and attached as its `attest` did. */
async function attest(
  world: World,
  version: string,
  given: {
    readonly key?: typeof ours;
    readonly test?: Partial<TestSection>;
    /** What the statement says where it is another thing than the test. */
    readonly verdict?: 'green' | 'red';
    readonly commit?: string;
    readonly ref?: string;
  } = {},
): Promise<void> {
  const { digest, commit } = world.releases[version]!;
  const test = {
    ...(inputOf(world, version).dossier.test as TestSection),
    run: earlier,
    ...given.test,
  };
  const source = { repository, ref: given.ref ?? `refs/tags/${version}`, commit: given.commit ?? commit };
  const facts = { ...droneFacts, DRONE_COMMIT_REF: source.ref, DRONE_COMMIT_SHA: source.commit };
  const { statement } = testStatement(
    droneRun(facts, 'release', '1.0.0'),
    { name: world.image, digests: [digest], source },
    {
      verdict: given.verdict ?? (test.verdict as 'green' | 'red'),
      tiers: test.tiers,
      details: evidenceOf(test, { readEvidence }),
    },
    {},
  );
  await attach({
    registry: openRegistry(),
    image: parseReference(world.image),
    subject: digest,
    bundles: [signedBundle(statement, (given.key ?? ours).key)],
    clock: virtualClock(),
  });
}

/** A run of `promote` alone: nothing was built or tested in it. */
async function promoted(
  world: World,
  version: string,
  known: Policy | 'no policy' = policy,
  settings: Record<string, string> = {},
): Promise<readonly string[]> {
  const input = inputOf(world, version, {
    settings,
    tools: { reviewedPolicy: async () => (known === 'no policy' ? undefined : known) },
  });
  const { test: _, ...dossier } = input.dossier;
  const result = await promote.run({ ...input, dossier });
  return [result.outcome, ...result.reasons];
}

async function tested(...given: Parameters<typeof attest>[2][]): Promise<World> {
  const world = await makeWorld(box.registry.host, 'file');
  await release(world, '1.0.0');
  for (const one of given) await attest(world, '1.0.0', one);
  return world;
}

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

describe('a test of an earlier run', () => {
  it('counts where a signer of the policy signed it, and the record names that run', async () => {
    const world = await tested({});
    expect(await promoted(world, '1.0.0')).toEqual(['done', 'promoted']);
    const record = (await openLedger(world).read(world.recipe)).record();
    expect(record).toMatchObject({
      version: '1.0.0',
      subject: { digest: world.releases['1.0.0']!.digest },
      evidence: { run: earlier, tiers: { install: 'pass' } },
    });
    expect(await promoted(world, '1.0.0')).toEqual(['skipped', 'already-canonical']);
  });

  it('is the newest one', async () => {
    const world = await tested({ test: { verdict: 'red', finishedAt: minutesAgo(5) } }, {});
    expect(await promoted(world, '1.0.0')).toEqual(['done', 'promoted']);
  });

  it('has its age: one that waited for too long is tested again', async () => {
    const world = await tested({ test: { finishedAt: minutesAgo(90) } });
    const short = { 'max-evidence-age': '1h' };
    expect(await promoted(world, '1.0.0', policy, short)).toEqual(['skipped', 'evidence-stale']);
    expect(await promoted(world, '1.0.0', policy, { 'max-evidence-age': '2h' })).toEqual([
      'done',
      'promoted',
    ]);
  });

  it.each<[string, Parameters<typeof attest>[2][], Policy | 'no policy', readonly string[]]>([
    ['that nobody signed', [], policy, ['evidence-unbound']],
    ['without a policy that says who counts', [{}], 'no policy', ['evidence-unbound']],
    ['that a stranger signed', [{ key: stranger }], policy, ['evidence-unbound']],
    ['that was red', [{ test: { verdict: 'red' } }], policy, ['not-green']],
    ['of a change', [{ test: { context: 'change' } }], policy, ['evidence-from-change']],
    ['of another version', [{ test: { version: '0.9.0' } }], policy, ['evidence-unbound']],
    ['of another recipe', [{ test: { recipe: 'other' } }], policy, ['evidence-unbound']],
    [
      'in which the candidate could write its own result',
      [{ test: { commands: 'untrusted-host' } }],
      policy,
      ['evidence-untrusted'],
    ],
    [
      'whose later repetition was red',
      [{ test: { finishedAt: minutesAgo(5) } }, { test: { verdict: 'red', finishedAt: minutesAgo(1) } }],
      policy,
      ['not-green'],
    ],
    [
      'whose later repetition nobody trusts',
      [{ test: { verdict: 'red', finishedAt: minutesAgo(5) } }, { key: stranger }],
      policy,
      ['not-green'],
    ],
  ])('%s promotes nothing', async (_what, given, known, reasons) => {
    const world = await tested(...given);
    const before = await everything(world);
    const [outcome, ...codes] = await promoted(world, '1.0.0', known);
    expect(outcome).toBe('refused');
    expect(codes).toEqual(expect.arrayContaining([...reasons]));
    expect(await everything(world)).toEqual(before);
  });

  it.each([
    ['another commit', { commit: '1'.repeat(40) }],
    ['a branch', { ref: 'refs/heads/topic' }],
    ['green, and was red,', { test: { verdict: 'red' }, verdict: 'green' }],
  ] as const)('that names %s contradicts what is promoted', async (_what, claim) => {
    const world = await tested(claim);
    const before = await everything(world);
    await expect(promoted(world, '1.0.0')).rejects.toMatchObject({ code: 'evidence-unbound' });
    expect(await everything(world)).toEqual(before);
  });

  it('that cannot be fetched is an outage, and not absent', async () => {
    const world = await tested({});
    const input = inputOf(world, '1.0.0', {
      tools: {
        reviewedPolicy: async () => policy,
        registry: async () => ({
          ...openRegistry(),
          referrers: async () => {
            throw new Failure('registry-unreachable', 'The registry does not answer.');
          },
        }),
      },
    });
    const { test: _, ...dossier } = input.dossier;
    await expect(promote.run({ ...input, dossier })).rejects.toMatchObject({ code: 'registry-unreachable' });
  });
});
