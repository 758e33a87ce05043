import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import type { Reference } from '../../../src/oci/reference.ts';
import { Failure } from '../../../src/outcome.ts';
import { fallbackTag } from '../../../src/provenance/referrer-manifest.ts';
import { attach, listReferrers } from '../../../src/provenance/referrers.ts';
import { image } from './look.ts';
import { MemoryRegistry } from './memory-registry.ts';
import { putImage, virtualClock } from './scene.ts';

const bundle = (text: string) => ({ bytes: Buffer.from(text), predicateType: 'https://example.org/x' });

/** A registry with one attestation, and what the next writer does there: writes of the list, and when each began. */
async function listed() {
  const registry = new MemoryRegistry();
  const clock = virtualClock();
  const { digest: subject } = await putImage(registry, image);
  const first = await attach({ registry, image, subject, bundles: [bundle('a')], clock });
  const tag = fallbackTag(subject);
  const writes: number[] = [];
  const began = clock.now();
  const put = registry.putManifest.bind(registry);
  let refuse: (write: number) => void = () => {};
  let after: (write: number) => void = () => {};
  registry.putManifest = async (reference, manifest) => {
    if (reference.tag !== tag) return put(reference, manifest);
    writes.push(clock.now() - began);
    refuse(writes.length);
    const answer = await put(reference, manifest);
    after(writes.length);
    return answer;
  };
  return {
    registry,
    subject,
    tag,
    first: first.referrers,
    writes,
    clock,
    refuse: (how: typeof refuse) => {
      refuse = how;
    },
    after: (how: typeof after) => {
      after = how;
    },
    attach: (text: string) => attach({ registry, image, subject, bundles: [bundle(text)], clock }),
    entries: async () => (await listReferrers(registry, image, subject)).map(({ digest }) => digest).sort(),
  };
}

const failing = (code: 'registry-failed' | 'registry-unreachable' | 'registry-denied') => () => {
  throw new Failure(code);
};

describe('a write of the list', () => {
  it('is not waited for where nobody else writes, and looks at no child', async () => {
    const at = await listed();
    const looked: Reference[] = [];
    at.registry.before = (call, reference) => {
      if (call === 'head' && reference.tag === undefined) looked.push(reference);
    };
    await at.attach('b');
    expect(at.writes).toEqual([0]);
    expect(looked).toEqual([]);
  });

  it('is not made, nor watched, where the entry is there', async () => {
    const at = await listed();
    const before = at.clock.now();
    await at.attach('a');
    expect([at.writes, at.clock.now()]).toEqual([[], before]);
  });

  it.each(['registry-failed', 'registry-unreachable'] as const)('is made again after %s', async (code) => {
    const at = await listed();
    at.refuse((write) => write < 3 && failing(code)());
    const { referrers } = await at.attach('b');
    expect(at.writes).toHaveLength(3);
    // Each time later: by then whoever was in the way is done.
    expect(at.writes[1]).toBeGreaterThan(at.writes[0]!);
    expect(await at.entries()).toEqual([...at.first, ...referrers].sort());
  });

  it('is given up with what the registry said when it was refused eight times in a row', async () => {
    const at = await listed();
    at.refuse(failing('registry-failed'));
    await expect(at.attach('b')).rejects.toMatchObject({ code: 'registry-failed' });
    expect(at.writes).toHaveLength(8);
  });

  it.each([
    ['that was denied', failing('registry-denied'), { code: 'registry-denied' }],
    [
      'in which we fail ourselves',
      () => {
        throw new TypeError('a fault');
      },
      { message: 'a fault' },
    ],
  ])('%s is not made again', async (_name, how, error) => {
    const at = await listed();
    at.refuse(how);
    await expect(at.attach('b')).rejects.toMatchObject(error);
    expect(at.writes).toHaveLength(1);
  });

  it('that landed although it was refused is not made again, and is watched all the same', async () => {
    for (const wiped of [false, true]) {
      const at = await listed();
      const stale = at.registry.tagged.get(at.tag)!;
      at.after((write) => write === 1 && failing('registry-failed')());
      let heads = 0;
      at.registry.before = (call, { tag }) => {
        // The second reading since finds what another writer, who had read before us, made of it.
        if (wiped && call === 'head' && tag === at.tag && at.writes.length === 1 && ++heads === 2)
          at.registry.tagged.set(at.tag, stale);
      };
      const { referrers } = await at.attach('b');
      expect(at.writes).toHaveLength(wiped ? 2 : 1);
      expect(await at.entries()).toEqual([...at.first, ...referrers].sort());
    }
  });

  it('ends where our own entry was deleted meanwhile: it is not reported as written', async () => {
    const at = await listed();
    const known = new Set<string>(at.registry.manifests.keys());
    at.refuse(() => {
      for (const digest of at.registry.manifests.keys()) {
        if (!known.has(digest)) at.registry.manifests.delete(digest as Digest);
      }
    });
    await expect(at.attach('b')).rejects.toMatchObject({
      code: 'attach-contended',
      message: expect.stringContaining('deleted while it was listed'),
    });
    expect(await at.entries()).toEqual(at.first);
  });
});
