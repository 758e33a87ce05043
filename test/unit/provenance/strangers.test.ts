import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { makeImageManifest, makeIndex } from '../../../src/oci/manifest-bytes.ts';
import { ociManifest } from '../../../src/oci/media-types.ts';
import { withDigest, withTag } from '../../../src/oci/reference.ts';
import { Failure } from '../../../src/outcome.ts';
import { writeFallbackList } from '../../../src/provenance/fallback-writer.ts';
import { fallbackTag } from '../../../src/provenance/referrer-manifest.ts';
import { attach } from '../../../src/provenance/referrers.ts';
import { clock, image, key, look, said, stranger } from './look.ts';
import { MemoryRegistry } from './memory-registry.ts';
import { attested, provenanceOf, putImage, signedBundle } from './scene.ts';

describe('strangers', () => {
  const foreign = (registry: MemoryRegistry, digest: Digest) =>
    attach({
      registry,
      image,
      subject: digest,
      bundles: [signedBundle(provenanceOf(image, [digest]), stranger)],
      clock,
    });

  it('are counted and ignored', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    await foreign(registry, digest);
    expect(await look(registry, digest)).toMatchObject({ answer: 'verified', strangers: 1, findings: [] });
  });

  it('prove nothing', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await putImage(registry, image);
    await foreign(registry, digest);
    const answer = await look(registry, digest);
    expect(answer).toMatchObject({ answer: 'missing', strangers: 1, statements: [] });
    expect(answer.findings[0]!.message).toContain('1 by signers that the policy does not know');
  });

  it.each([
    [
      'junk under our key id',
      (digest: Digest) => {
        const bundle = signedBundle(provenanceOf(image, [digest]), stranger);
        const text = Buffer.from(bundle.bytes)
          .toString()
          .replaceAll(stranger.publicKey.keyid, key.publicKey.keyid);
        return { ...bundle, bytes: Buffer.from(text), spki: key.publicKey.spki };
      },
    ],
    [
      'no bundle at all',
      () => ({ bytes: Buffer.from('<html>'), predicateType: 'x', spki: key.publicKey.spki }),
    ],
    ['one of ours about another image', () => signedBundle(provenanceOf(image, [digestOf('other')]), key)],
  ])('cannot veto with %s', async (_name, make) => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    await attach({ registry, image, subject: digest, bundles: [make(digest)], clock });
    const answer = await look(registry, digest);
    expect(answer.answer).toBe('verified');
    expect(answer.findings.filter(({ level }) => level === 'warning')).toHaveLength(1);
  });

  it('cannot crowd out what bears our key', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    // So many that ours would hardly be among the first by chance.
    const bundles = Array.from({ length: 400 }, (_, i) => ({
      bytes: Buffer.from(`junk ${i}`),
      predicateType: 'x',
      spki: stranger.publicKey.spki,
    }));
    await attach({ registry, image, subject: digest, bundles, clock });
    let opened = 0;
    registry.before = (call) => {
      if (call === 'blob') opened++;
    };
    expect((await look(registry, digest)).answer).toBe('verified');
    expect(opened).toBe(64);
  });

  it('that are too many are said to be not looked at', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await putImage(registry, image);
    const bundles = Array.from({ length: 70 }, (_, i) =>
      signedBundle(provenanceOf(image, [digest, digestOf(`${i}`)]), stranger),
    );
    await attach({ registry, image, subject: digest, bundles, clock });
    const answer = await look(registry, digest);
    expect(answer).toMatchObject({ answer: 'missing', strangers: 64 });
    expect(answer.findings[0]!.message).toContain('6 not looked at');
  });

  it('are counted apart from what is damaged', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await putImage(registry, image);
    await foreign(registry, digest);
    const junk = { bytes: Buffer.from('junk'), predicateType: 'x' };
    await attach({ registry, image, subject: digest, bundles: [junk], clock });
    const { strangers, findings } = await look(registry, digest);
    expect(strangers).toBe(1);
    expect(findings.at(-1)!.message).toMatch(/Besides: 1 by signers that the policy does not know\.$/);
  });

  it('may hang anything else on an image: it is passed over', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    const subject = { mediaType: ociManifest, digest, size: 1 };
    const config = { mediaType: 'text/plain', digest: digestOf('{}'), size: 2 };
    const sbom = makeImageManifest({ config, layers: [{ ...config, mediaType: 'text/spdx' }], subject });
    const index = makeIndex({ manifests: [], subject });
    const entries = [];
    for (const made of [sbom, index]) {
      await registry.putManifest(withDigest(image, made.digest), made);
      // As tools list them that do not know the type of an artifact.
      entries.push(made.descriptor);
    }
    await writeFallbackList({ registry, image, subject: digest, entries, clock });
    expect(await look(registry, digest)).toMatchObject({ answer: 'verified', findings: [], strangers: 0 });
  });

  it.each([
    ['manifest', 'attestation'],
    ['blob', 'bundle'],
  ])('or registries that serve another %s than was asked for damage, and are no outage', async (call) => {
    const registry = new MemoryRegistry();
    const { digest, referrers } = await attested(registry, image, key);
    const asked: unknown[] = [];
    registry.before = (now, reference) => {
      if (now !== call || (call === 'manifest' && !referrers.includes(reference.digest!))) return;
      asked.push(reference);
      throw new Failure('manifest-invalid', 'Other bytes came.');
    };
    const answer = await look(registry, digest);
    expect(asked).toHaveLength(2);
    expect(answer.answer).toBe('bad');
    expect(said(answer).slice(0, 2)).toEqual(
      [...referrers]
        .sort()
        .map((one) => `warning attestation-invalid: Attestation ${one}: Other bytes came.`),
    );
  });

  it.each([
    undefined,
    '',
    'application/vnd.oci.empty.v1+json',
    'application/vnd.oci.image.config.v1+json',
    'application/vnd.dev.sigstore.bundle+json;version=0.3',
  ])('that listed a bundle as %j do not hide it', async (artifactType) => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    const list = registry.manifests.get(registry.tagged.get(fallbackTag(digest))!)!;
    const json = JSON.parse(Buffer.from(list.bytes).toString());
    for (const entry of json.manifests) entry.artifactType = artifactType;
    const bytes = Buffer.from(JSON.stringify(json));
    await registry.putManifest(withTag(image, fallbackTag(digest)), { bytes, mediaType: list.mediaType });
    expect(await look(registry, digest)).toMatchObject({ answer: 'verified' });
  });

  it('that wrote no type into the list are looked at all the same', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    const tag = digest.replace(':', '-');
    const list = registry.manifests.get(registry.tagged.get(tag)!)!;
    const json = JSON.parse(Buffer.from(list.bytes).toString());
    for (const entry of json.manifests) {
      delete entry.artifactType;
      delete entry.annotations;
    }
    const bytes = Buffer.from(JSON.stringify(json));
    await registry.putManifest(withTag(image, tag), { bytes, mediaType: list.mediaType });
    expect(await look(registry, digest)).toMatchObject({ answer: 'verified' });
  });
});
