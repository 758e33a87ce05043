import { beforeAll, describe, expect, it } from 'vitest';
import { makeImage, pushImage, pushIndex } from '../../../sandbox/image.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { openHistory } from '../../../src/git/history.ts';
import type { WriteHook } from '../../../src/ledger/store.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { type PromoteInput, promoteRelease } from '../../../src/promotion/promote.ts';
import { rollBack } from '../../../src/promotion/rollback.ts';
import type { OwnImage } from '../../../src/promotion/snapshot-taker.ts';
import { releaseFacts } from '../../../src/rules/gate/release-facts.ts';
import type { GatePolicy } from '../../../src/rules/gate/snapshot.ts';
import { parsePattern } from '../../../src/rules/releases.ts';
import { everything } from './by-hand.ts';
import {
  backTo,
  inputFor,
  makeWorld,
  openLedger,
  openTools,
  ourGit,
  policy,
  realWaiting,
  release,
  remoteOf,
  tagsOf,
  type World,
} from './world.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox();
});

const upstream = `docker.io/library/postgres@${digestOf('postgres')}`;

/** What a run of a compose application hands over: the images that ran, the own ones among them. */
function composeInput(world: World, version: string, own: readonly OwnImage[], now?: number): PromoteInput {
  const input = inputFor(world, version, {}, now);
  const images = {
    db: upstream,
    ...Object.fromEntries(own.map(({ image, digest }, index) => [`own${index}`, `${image}@${digest}`])),
  };
  return {
    ...input,
    subject: { kind: 'compose', images, own },
    evidence: { ...input.evidence!, subject: images },
  };
}

/** Pushes an own image of this release, as the build of one of several Dockerfiles would. */
async function ownImage(world: World, name: string, version: string): Promise<OwnImage> {
  const image = await makeImage([[{ path: name, content: `${name} ${version}` }]], {
    config: {
      Labels: {
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.revision': world.releases[version]!.commit,
      },
    },
  });
  const { registry, repository } = parseReference(`${world.image}/${name}`);
  await pushImage(registry, repository, `sha-${version}`, image);
  return { image: `${world.image}/${name}`, digest: image.digest as Digest };
}

const at = (world: World, { image }: OwnImage): World => ({ ...world, image });
const later = { ...realWaiting, now: () => Date.now() + 11 * 60_000 };

describe.each(['file', 'git'] as const)('a compose application with a ledger in %s', (kind) => {
  it('without an own image has a record and no tags', async () => {
    const world = await makeWorld(box.registry.host, kind);
    await release(world, '1.0.0');
    const first = await promoteRelease(composeInput(world, '1.0.0', []), openTools(world));
    expect([first.answer, first.gate.failing, first.moves]).toEqual(['promoted', [], []]);
    expect(first.canonical?.subject).toEqual({ kind: 'compose', images: { db: upstream } });
    const before = await everything(world);
    expect((await promoteRelease(composeInput(world, '1.0.0', []), openTools(world))).answer).toBe(
      'already-canonical',
    );
    expect(await everything(world)).toEqual(before);
    await release(world, '1.1.0+v2.0.0');
    const next = await promoteRelease(composeInput(world, '1.1.0+v2.0.0', []), openTools(world));
    expect([next.answer, next.canonical?.sequence]).toEqual(['promoted', 2]);
    // An own image of the same name as the recipe's is another subject, and not this recipe's to promote.
    await release(world, '1.2.0');
    const other = await promoteRelease(inputFor(world, '1.2.0'), openTools(world));
    expect(other.gate.failing).toEqual(['recipe-owner-mismatch']);
  });

  it('with several own images has the tags of each, and is finished where it was killed between them', async () => {
    const world = await makeWorld(box.registry.host, kind);
    await release(world, '1.0.0');
    const old = [await ownImage(world, 'web', '1.0.0'), await ownImage(world, 'worker', '1.0.0')];
    expect((await promoteRelease(composeInput(world, '1.0.0', old), openTools(world))).answer).toBe(
      'promoted',
    );
    await release(world, '1.1.0');
    const own = [await ownImage(world, 'web', '1.1.0'), await ownImage(world, 'worker', '1.1.0')];
    const digests = (image: OwnImage) => tagsOf({ ...at(world, image), releases: {} });

    // It dies after the first image's own tags, before the second's.
    let puts = 0;
    const die: WriteHook = async (name, act) => {
      if (name.startsWith('put ') && ++puts === 3) throw new Error('killed');
      if (name.includes('intent') && puts >= 3) throw new Error('killed');
      return act();
    };
    await expect(
      promoteRelease(composeInput(world, '1.1.0', own), openTools(world, { write: die })),
    ).rejects.toThrow('killed');
    const { answer } = await promoteRelease(
      composeInput(world, '1.1.0', own, later.now()),
      openTools(world, { waiting: later }),
    );
    expect(answer).toBe('promoted');
    for (const image of own) {
      expect(await digests(image)).toMatchObject({
        '1.1.0': image.digest,
        '1.1': image.digest,
        '1': image.digest,
        latest: image.digest,
      });
    }
    const view = await openLedger(world).read('app');
    expect([view.intent(), view.record()?.sequence]).toEqual([undefined, 2]);

    const back = await rollBack(
      { ...backTo(world, undefined), images: own.map(({ image }) => image) },
      openTools(world),
    );
    expect(back.answer).toBe('rolled-back');
    for (const image of old) expect((await digests(image)).latest).toBe(image.digest);
  });

  it('of whose own images one is missing is not promoted at all', async () => {
    const world = await makeWorld(box.registry.host, kind);
    await release(world, '1.0.0');
    const own = [
      await ownImage(world, 'web', '1.0.0'),
      { image: `${world.image}/worker`, digest: digestOf('never pushed') },
    ];
    const before = await everything(at(world, own[0]!));
    const { answer, gate } = await promoteRelease(composeInput(world, '1.0.0', own), openTools(world));
    expect([answer, gate.failing]).toEqual(['refused', ['source-missing']]);
    expect(await everything(at(world, own[0]!))).toEqual(before);
  });
});

describe('maintenance lines: two recipes over one image', () => {
  /** The line `2.*` beside the main recipe, which has all others. */
  const line = (world: World): World => ({ ...world, recipe: 'app-2' });
  const onLine = (world: World, version: string, pattern: string) =>
    openTools(world, {
      lookups: {
        releases: async (candidate, base) => {
          const history = await openHistory(ourGit(world), remoteOf(world), 'main');
          const tags = await history.tags(history.branch, [candidate.commit]);
          return releaseFacts(tags, parsePattern(pattern), 'main', { ...candidate, tag: version }, base);
        },
      },
    });

  it('never take `latest` from a newer line, and hold their own', async () => {
    const world = await makeWorld(box.registry.host, 'git');
    await release(world, '2.0.0');
    expect((await promoteRelease(inputFor(line(world), '2.0.0'), onLine(world, '2.0.0', '2.*'))).answer).toBe(
      'promoted',
    );
    await release(world, '3.0.0');
    const main = { recipe: 'app' };
    expect((await promoteRelease(inputFor(world, '3.0.0', main), openTools(world))).answer).toBe('promoted');
    expect(await tagsOf(world)).toMatchObject({ latest: '3.0.0', '3': '3.0.0', '2': '2.0.0' });

    const { commit } = await release(world, '2.0.1');
    const input = inputFor(line(world), '2.0.1');
    // The base is the line's own, whatever was tagged in between.
    const base = {
      version: '2.0.0',
      tag: '2.0.0',
      commit: world.releases['2.0.0']!.commit,
      reason: 'canonical',
    };
    const fixed = await promoteRelease(
      { ...input, evidence: { ...input.evidence!, base } },
      onLine(world, '2.0.1', '2.*'),
    );
    expect([fixed.answer, fixed.canonical?.commit]).toEqual(['promoted', commit]);
    expect(fixed.floating[0]?.kept).toEqual([{ tag: 'latest', version: '3.0.0' }]);
    expect(await tagsOf(world)).toMatchObject({
      '2.0.1': '2.0.1',
      '2.0': '2.0.1',
      '2': '2.0.1',
      latest: '3.0.0',
      '3': '3.0.0',
    });
    // Each recipe has its own record, and neither knows of the other's sequence.
    const ledger = openLedger(world);
    expect((await ledger.read('app')).record()).toMatchObject({ version: '3.0.0', sequence: 1 });
    expect((await ledger.read('app-2')).record()).toMatchObject({ version: '2.0.1', sequence: 2 });
  });

  it('keep theirs when another line is rolled back', async () => {
    const world = await makeWorld(box.registry.host, 'file');
    await release(world, '2.0.0');
    await promoteRelease(inputFor(line(world), '2.0.0'), onLine(world, '2.0.0', '2.*'));
    for (const version of ['3.0.0', '3.1.0']) {
      await release(world, version);
      const { answer } = await promoteRelease(inputFor(world, version), openTools(world));
      expect(answer).toBe('promoted');
    }
    const { answer } = await rollBack(backTo(world, '3.0.0'), openTools(world));
    expect(answer).toBe('rolled-back');
    expect(await tagsOf(world)).toMatchObject({
      latest: '3.0.0',
      '3': '3.0.0',
      '2': '2.0.0',
      '3.1': '3.1.0',
    });
  });
});

describe('an image of several platforms', () => {
  it('is published as the index that was tested, with what was asked of its platforms', async () => {
    const world = await makeWorld(box.registry.host, 'file');
    await release(world, '1.0.0');
    const { commit, tree } = world.releases['1.0.0']!;
    const labels = {
      'org.opencontainers.image.version': '1.0.0',
      'org.opencontainers.image.revision': commit,
    };
    const { registry, repository } = parseReference(world.image);
    const images = [];
    for (const architecture of ['amd64', 'arm64']) {
      const image = await makeImage([[{ path: 'arch', content: architecture }]], {
        architecture,
        config: { Labels: labels },
      });
      await pushImage(registry, repository, `sha-${architecture}`, image);
      images.push({ image, platform: { os: 'linux', architecture } });
    }
    const index = (await pushIndex(registry, repository, 'sha-index', images)) as Digest;
    world.releases['1.0.0'] = { commit, tree, digest: index };

    const wanting = (more: Partial<GatePolicy>) =>
      promoteRelease(inputFor(world, '1.0.0', { policy: { ...policy, ...more } }), openTools(world));
    expect((await wanting({ platforms: ['linux/arm64', 'linux/riscv64'] })).gate.failing).toEqual([
      'platform-missing',
    ]);
    expect((await wanting({ allPlatforms: true })).gate.failing).toEqual(['platform-untested']);
    const { answer, canonical } = await wanting({ platforms: ['linux/arm64', 'linux/amd64'] });
    expect(answer).toBe('promoted');
    expect(canonical?.subject).toEqual({
      kind: 'image',
      image: world.image,
      digest: index,
      platforms: { 'linux/amd64': images[0]!.image.digest, 'linux/arm64': images[1]!.image.digest },
      tested: ['linux/amd64'],
    });
    expect(await tagsOf(world)).toMatchObject({ '1.0.0': '1.0.0', latest: '1.0.0' });
  });
});
