import { beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { droneRun } from '../../../src/provenance/drone-run.ts';
import type { Policy } from '../../../src/provenance/policy.ts';
import { provenancePredicate } from '../../../src/provenance/predicates.ts';
import { attach } from '../../../src/provenance/referrers.ts';
import { predicateTypes, statementAbout } from '../../../src/provenance/statement.ts';
import { step as promote } from '../../../src/steps/promote.ts';
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
import { makeWorld, openRegistry, release, type World } from './world.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox();
});

const ours = newKey();
const stranger = newKey();

/** Provenance of the release, or of what somebody claims it to be, signed and attached as `attest` does. */
async function attest(
  world: World,
  version: string,
  { key }: typeof ours,
  claim: { readonly commit?: string; readonly ref?: string } = {},
): Promise<void> {
  const image = parseReference(world.image);
  const { digest, commit } = world.releases[version]!;
  const source = { repository, ref: claim.ref ?? `refs/tags/${version}`, commit: claim.commit ?? commit };
  const facts = { ...droneFacts, DRONE_COMMIT_REF: source.ref, DRONE_COMMIT_SHA: source.commit };
  const statement = statementAbout(
    world.image,
    [digest],
    predicateTypes.provenance,
    provenancePredicate(droneRun(facts, 'release', '1.0.0'), { source, bases: [] }),
  );
  await attach({
    registry: openRegistry(),
    image,
    subject: digest,
    bundles: [signedBundle(statement, key)],
    clock: virtualClock(),
  });
}

async function promoted(world: World, version: string, require: string, policy: Policy | undefined) {
  const result = await promote.run(
    inputOf(world, version, {
      settings: require === '' ? {} : { require },
      tools: { reviewedPolicy: async () => policy },
    }),
  );
  return [result.outcome, ...result.reasons];
}

const policy = policyOf(ours.key, { predicates: [predicateTypes.provenance] });

describe('signatures and provenance in the gate', () => {
  it('are asked of identities of the policy: nothing, then a stranger, then ours', async () => {
    const world = await makeWorld(box.registry.host, 'file');
    await release(world, '1.0.0');
    expect(await promoted(world, '1.0.0', 'signature', undefined)).toEqual(['refused', 'signature-missing']);
    expect(await promoted(world, '1.0.0', 'provenance', policy)).toEqual(['refused', 'signature-missing']);
    await attest(world, '1.0.0', stranger);
    const before = await everything(world);
    expect(await promoted(world, '1.0.0', 'provenance', policy)).toEqual(['refused', 'signature-missing']);
    expect(await everything(world)).toEqual(before);
    await attest(world, '1.0.0', ours);
    expect(await promoted(world, '1.0.0', 'signature, provenance', policy)).toEqual(['done', 'promoted']);
  });

  it('of strangers neither help nor harm where nothing is asked', async () => {
    const world = await makeWorld(box.registry.host, 'file');
    await release(world, '1.0.0');
    await attest(world, '1.0.0', stranger, { commit: '1'.repeat(40) });
    expect(await promoted(world, '1.0.0', '', policy)).toEqual(['done', 'promoted']);
  });

  it.each([
    ['another commit', { commit: '1'.repeat(40) }],
    ['another tag', { ref: 'refs/tags/0.9.0' }],
    ['a branch', { ref: 'refs/heads/topic' }],
  ])('of ours that name %s contradict, whether asked for or not', async (_what, claim) => {
    const world = await makeWorld(box.registry.host, 'file');
    await release(world, '1.0.0');
    await attest(world, '1.0.0', ours, claim);
    const before = await everything(world);
    expect(await promoted(world, '1.0.0', '', policy)).toEqual(['refused', 'provenance-mismatch']);
    expect(await everything(world)).toEqual(before);
  });

  it('cannot be asked for less than before, unless somebody says so', async () => {
    const world = await makeWorld(box.registry.host, 'file');
    await release(world, '1.0.0');
    await attest(world, '1.0.0', ours);
    expect(await promoted(world, '1.0.0', 'provenance', policy)).toEqual(['done', 'promoted']);
    await release(world, '1.1.0');
    expect(await promoted(world, '1.1.0', '', policy)).toEqual(['refused', 'require-lowered']);
    expect(await promoted(world, '1.1.0', 'require-lowered', policy)).toEqual(['done', 'promoted']);
    await release(world, '1.2.0');
    expect(await promoted(world, '1.2.0', '', policy)).toEqual(['done', 'promoted']);
  });

  it('that cannot be fetched are an outage', async () => {
    const { Failure } = await import('../../../src/outcome.ts');
    const world = await makeWorld(box.registry.host, 'file');
    await release(world, '1.0.0');
    const registry = openRegistry();
    const away = {
      ...registry,
      referrers: async () => {
        throw new Failure('registry-unreachable', 'The registry does not answer.');
      },
    };
    const result = await promote.run(
      inputOf(world, '1.0.0', { tools: { reviewedPolicy: async () => policy, registry: async () => away } }),
    );
    expect([result.outcome, result.reasons]).toEqual(['error', ['cannot-determine']]);
  });
});
