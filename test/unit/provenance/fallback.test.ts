import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseManifest } from '../../../src/oci/manifest.ts';
import { parseReference, withDigest, withTag } from '../../../src/oci/reference.ts';
import { Failure } from '../../../src/outcome.ts';
import { fallbackTag } from '../../../src/provenance/referrer-manifest.ts';
import { attach, listReferrers } from '../../../src/provenance/referrers.ts';
import { MemoryRegistry } from './memory-registry.ts';
import { newKey, provenanceOf, putImage, recipeOf, signedBundle, virtualClock } from './scene.ts';

const image = parseReference('registry.example:5000/acme/hedgedoc');
const { key } = newKey();
const clock = virtualClock();

async function scene(): Promise<{ registry: MemoryRegistry; subject: Digest }> {
  const registry = new MemoryRegistry();
  const { digest } = await putImage(registry, image);
  return { registry, subject: digest };
}

function listAt(registry: MemoryRegistry, subject: Digest): Digest[] {
  const digest = registry.tagged.get(fallbackTag(subject));
  if (digest === undefined) return [];
  const { bytes, mediaType } = registry.manifests.get(digest)!;
  const list = parseManifest(bytes, mediaType, { listing: true });
  return list.kind === 'index' ? list.manifests.map((entry) => entry.digest) : [];
}

const bundle = (text: string) => ({ bytes: Buffer.from(text), predicateType: 'https://example.org/x' });

describe('attaching', () => {
  it('uses the fallback tag where there is no referrers API', async () => {
    const { registry, subject } = await scene();
    const bundles = [
      signedBundle(provenanceOf(image, [subject]), key),
      signedBundle(recipeOf(image, [subject]), key),
    ];
    const { referrers, through } = await attach({ registry, image, subject, bundles, clock });
    expect(through).toBe('fallback-tag');
    expect(listAt(registry, subject)).toEqual([...referrers].sort());
    const entries = await listReferrers(registry, image, subject);
    for (const entry of entries) {
      expect(entry.artifactType).toBe('application/vnd.dev.sigstore.bundle.v0.3+json');
      expect(entry.annotations).toMatchObject({ 'dev.sigstore.bundle.content': 'dsse-envelope' });
      const { bytes, mediaType } = registry.manifests.get(entry.digest)!;
      const manifest = parseManifest(bytes, mediaType);
      expect(entry.annotations).toEqual(manifest.annotations);
      expect(entry.size).toBe(bytes.length);
      expect(manifest.subject).toMatchObject({ digest: subject });
    }
  });

  it.each([
    ['push and list agree', { honours: true, lists: true, shows: true }, 'referrers-api'],
    [
      'the push does not say that it honoured the subject',
      { honours: false, lists: true, shows: true },
      'fallback-tag',
    ],
    ['there is no list', { honours: true, lists: false, shows: true }, 'fallback-tag'],
    ['the list does not show what was pushed', { honours: true, lists: true, shows: false }, 'fallback-tag'],
  ] as const)('%s', async (_name, native, expected) => {
    const { registry, subject } = await scene();
    registry.native = native;
    const { referrers, through } = await attach({ registry, image, subject, bundles: [bundle('a')], clock });
    expect(through).toBe(expected);
    expect(listAt(registry, subject)).toEqual(expected === 'fallback-tag' ? referrers : []);
    expect((await listReferrers(registry, image, subject)).map((entry) => entry.digest)).toEqual(referrers);
  });

  it('waits for a list of the registry that shows what was pushed a little later', async () => {
    const { registry, subject } = await scene();
    registry.native = { honours: true, lists: true, shows: false };
    const began = clock.now();
    registry.before = (call) => {
      if (call === 'referrers' && clock.now() - began >= 200) registry.native.shows = true;
    };
    const request = { registry, image, subject, bundles: [bundle('a')], clock };
    expect(await attach(request)).toMatchObject({ through: 'referrers-api' });
    expect(clock.now()).toBeGreaterThan(began);
    const seen = clock.now();
    await attach(request);
    expect(clock.now()).toBe(seen);
  });

  it('takes what is no list for no list', async () => {
    const { registry, subject } = await scene();
    registry.native = { honours: true, lists: true, shows: true };
    const own = await registry.manifest(withDigest(image, subject));
    registry.referrers = async () => own;
    const { through } = await attach({ registry, image, subject, bundles: [bundle('a')], clock });
    expect(through).toBe('fallback-tag');
  });

  it('does nothing the second time', async () => {
    const { registry, subject } = await scene();
    const request = { registry, image, subject, bundles: [bundle('a')], clock };
    const first = await attach(request);
    const before = new Map(registry.tagged);
    const puts: string[] = [];
    registry.before = (call, reference) => {
      if (call.startsWith('put') && (call === 'putBlob' || reference.tag !== undefined)) puts.push(call);
    };
    expect(await attach(request)).toEqual(first);
    expect(puts).toEqual([]);
    expect(registry.tagged).toEqual(before);
  });

  it('re-reads before it believes that there is no list', async () => {
    const { registry, subject } = await scene();
    const { referrers } = await attach({ registry, image, subject, bundles: [bundle('a')], clock });
    const kept = registry.tagged.get(fallbackTag(subject))!;
    let asked = 0;
    registry.before = (call, reference) => {
      if (call !== 'head' || reference.tag === undefined) return;
      // While a tag is being written, distribution answers 404 for it.
      if (++asked <= 3) registry.tagged.delete(reference.tag);
      else registry.tagged.set(reference.tag, registry.tagged.get(reference.tag) ?? kept);
    };
    const second = await attach({ registry, image, subject, bundles: [bundle('b')], clock });
    expect(asked).toBeGreaterThan(3);
    expect(listAt(registry, subject)).toEqual([...referrers, ...second.referrers].sort());
  });

  it('believes it at once where it only reads', async () => {
    const { registry, subject } = await scene();
    let asked = 0;
    registry.before = (call, reference) => {
      if (call === 'head' && reference.tag !== undefined) asked++;
    };
    expect(await listReferrers(registry, image, subject)).toEqual([]);
    expect(asked).toBe(1);
  });

  it('heals a list of which one child is gone', async () => {
    const { registry, subject } = await scene();
    const first = await attach({ registry, image, subject, bundles: [bundle('a'), bundle('b')], clock });
    registry.manifests.delete(first.referrers[0]!);
    const { referrers } = await attach({ registry, image, subject, bundles: [bundle('c')], clock });
    expect(listAt(registry, subject)).toEqual([first.referrers[1]!, ...referrers].sort());
  });

  it('leaves what others wrote of the list, also where it heals it', async () => {
    const { registry, subject } = await scene();
    const first = await attach({ registry, image, subject, bundles: [bundle('a')], clock });
    const read = () => registry.manifests.get(registry.tagged.get(fallbackTag(subject))!)!;
    const json = JSON.parse(Buffer.from(read().bytes).toString());
    const bytes = Buffer.from(JSON.stringify({ ...json, annotations: { by: 'another tool' } }));
    const tag = withTag(image, fallbackTag(subject));
    await registry.putManifest(tag, { bytes, mediaType: read().mediaType });
    const annotations = () => JSON.parse(Buffer.from(read().bytes).toString()).annotations;
    await attach({ registry, image, subject, bundles: [bundle('b')], clock });
    expect(annotations()).toEqual({ by: 'another tool' });
    registry.manifests.delete(first.referrers[0]!);
    await attach({ registry, image, subject, bundles: [bundle('c')], clock });
    expect(annotations()).toEqual({ by: 'another tool' });
  });

  it('takes no child for gone that could not be looked at', async () => {
    const { registry, subject } = await scene();
    const first = await attach({ registry, image, subject, bundles: [bundle('a'), bundle('b')], clock });
    registry.manifests.delete(first.referrers[0]!);
    registry.before = (call, { digest }) => {
      if (call === 'head' && digest === first.referrers[1]) throw new Failure('registry-unreachable');
    };
    const attempt = attach({ registry, image, subject, bundles: [bundle('c')], clock });
    await expect(attempt).rejects.toMatchObject({ code: 'registry-unreachable' });
    expect(listAt(registry, subject)).toContain(first.referrers[1]);
  });

  it('puts back what another writer wiped out', async () => {
    const { registry, subject } = await scene();
    const first = await attach({ registry, image, subject, bundles: [bundle('a')], clock });
    const stale = registry.tagged.get(fallbackTag(subject))!;
    let writes = 0;
    let wiped = false;
    registry.before = (call, reference) => {
      if (call === 'putManifest' && reference.tag !== undefined) writes++;
      // A writer that had read the list before us writes after us.
      if (writes === 1 && call === 'head' && reference.tag !== undefined && !wiped) {
        wiped = true;
        registry.tagged.set(reference.tag, stale);
      }
    };
    const { referrers } = await attach({ registry, image, subject, bundles: [bundle('b')], clock });
    expect(writes).toBe(2);
    expect(listAt(registry, subject)).toEqual([...first.referrers, ...referrers].sort());
  });

  it.each([
    ['puts back an entry of somebody else that a third one wiped out', false],
    ['does not put back what was deleted', true],
  ])('%s', async (_name, deleted) => {
    const { registry, subject } = await scene();
    const mine = await attach({ registry, image, subject, bundles: [bundle('a')], clock });
    const others = await attach({ registry, image, subject, bundles: [bundle('b')], clock });
    const both = registry.tagged.get(fallbackTag(subject))!;
    registry.checksChildren = !deleted;
    let wiped = false;
    registry.before = async (call, reference) => {
      const now = registry.tagged.get(fallbackTag(subject));
      if (wiped || call !== 'head' || reference.tag === undefined || now === both) return;
      wiped = true;
      const raw = registry.manifests.get(now!)!;
      const json = JSON.parse(Buffer.from(raw.bytes).toString());
      json.manifests = json.manifests.filter(
        (entry: { digest: string }) => entry.digest !== others.referrers[0],
      );
      if (deleted) registry.manifests.delete(others.referrers[0]!);
      const bytes = Buffer.from(JSON.stringify(json));
      await registry.putManifest(reference, { bytes, mediaType: raw.mediaType });
    };
    const third = await attach({ registry, image, subject, bundles: [bundle('c')], clock });
    expect(wiped).toBe(true);
    const kept = deleted ? [] : others.referrers;
    expect(listAt(registry, subject)).toEqual([...mine.referrers, ...kept, ...third.referrers].sort());
  });

  it('does not report what does not stay', async () => {
    const { registry, subject } = await scene();
    await attach({ registry, image, subject, bundles: [bundle('a')], clock });
    const stale = registry.tagged.get(fallbackTag(subject))!;
    registry.before = (call, reference) => {
      if (call === 'head' && reference.tag !== undefined) registry.tagged.set(reference.tag, stale);
    };
    const attempt = attach({ registry, image, subject, bundles: [bundle('b')], clock });
    await expect(attempt).rejects.toMatchObject({ code: 'attach-contended' });
  });

  it('loses nothing of 32 at once', async () => {
    const { registry, subject } = await scene();
    let turn = 0;
    registry.before = async () => {
      // Requests finish in a mixed order.
      turn = (turn * 7 + 3) % 11;
      for (let i = turn; i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
    };
    const attempts = Array.from({ length: 32 }, (_, i) =>
      attach({ registry, image, subject, bundles: [bundle(`n${i}`)], clock: virtualClock(i + 1) }),
    );
    const written = (await Promise.all(attempts)).flatMap(({ referrers }) => referrers);
    expect(new Set(written).size).toBe(32);
    expect(listAt(registry, subject)).toEqual([...written].sort());
  });

  it('refuses a fallback tag that is no list', async () => {
    const { registry, subject } = await scene();
    const own = await registry.manifest(withDigest(image, subject));
    await registry.putManifest(withTag(image, fallbackTag(subject)), own!);
    const attempt = attach({ registry, image, subject, bundles: [bundle('a')], clock });
    await expect(attempt).rejects.toMatchObject({ code: 'manifest-invalid' });
  });

  it('attaches nothing to what is not there', async () => {
    const { registry } = await scene();
    const subject: Digest = `sha256:${'0'.repeat(64)}`;
    const attempt = attach({ registry, image, subject, bundles: [bundle('a')], clock });
    await expect(attempt).rejects.toMatchObject({ code: 'source-missing' });
  });
});
