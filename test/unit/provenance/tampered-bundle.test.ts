import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { withTag } from '../../../src/oci/reference.ts';
import { bundleBytes } from '../../../src/provenance/bundle.ts';
import type { Policy } from '../../../src/provenance/policy.ts';
import { fallbackTag } from '../../../src/provenance/referrer-manifest.ts';
import { attach } from '../../../src/provenance/referrers.ts';
import { signEnvelope } from '../../../src/provenance/sign.ts';
import { predicateTypes, statementBytes } from '../../../src/provenance/statement.ts';
import type { Verification } from '../../../src/provenance/verification.ts';
import { clock, expectNamed, image, key, look, policy, publicPem, said, stranger } from './look.ts';
import { MemoryRegistry } from './memory-registry.ts';
import {
  attested,
  builder,
  newKey,
  policyOf,
  provenanceOf,
  putImage,
  recipeOf,
  signedBundle,
} from './scene.ts';

type Json = ReturnType<typeof JSON.parse>;

describe('a changed bundle', () => {
  const others = Buffer.from(
    signedBundle(provenanceOf(image, [digestOf('other')]), stranger).bytes,
  ).toString();
  const regions: readonly [string, (json: Json) => void, string, string][] = [
    [
      'mediaType',
      (json) => (json.mediaType = json.mediaType.replace('v0.3', 'v0.2')),
      'attestation',
      'mediaType',
    ],
    ['no mediaType', (json) => delete json.mediaType, 'attestation', 'mediaType'],
    [
      'hint',
      (json) => (json.verificationMaterial.publicKey.hint = stranger.publicKey.keyid),
      'signature',
      'hint',
    ],
    ['no hint', (json) => (json.verificationMaterial.publicKey = {}), 'attestation', 'publicKey.hint'],
    ['no key', (json) => (json.verificationMaterial = {}), 'attestation', 'public key and certificate'],
    [
      'a certificate beside the key',
      (json) => (json.verificationMaterial.certificate = { rawBytes: 'cA==' }),
      'attestation',
      'public key and certificate',
    ],
    [
      'certificate no base64',
      (json) => (json.verificationMaterial.certificate = { rawBytes: '*' }),
      'attestation',
      'rawBytes',
    ],
    ['a material unknown', (json) => (json.verificationMaterial.x509 = 1), 'attestation', 'x509'],
    [
      'log entries no list',
      (json) => (json.verificationMaterial.tlogEntries = 1),
      'attestation',
      'tlogEntries',
    ],
    [
      'timestamps no object',
      (json) => (json.verificationMaterial.timestampVerificationData = 1),
      'attestation',
      'timestampVerificationData',
    ],
    [
      'payload',
      (json) => (json.dsseEnvelope.payload = JSON.parse(others).dsseEnvelope.payload),
      'signature',
      'does not hold',
    ],
    [
      'payload no base64',
      (json) => (json.dsseEnvelope.payload = `${json.dsseEnvelope.payload}\n`),
      'attestation',
      'payload',
    ],
    ['payloadType', (json) => (json.dsseEnvelope.payloadType = 'text/plain'), 'signature', 'does not hold'],
    ['no payloadType', (json) => delete json.dsseEnvelope.payloadType, 'attestation', 'payloadType'],
    [
      'signature',
      (json) => (json.dsseEnvelope.signatures = JSON.parse(others).dsseEnvelope.signatures),
      'signature',
      'does not hold',
    ],
    [
      'signature no base64',
      (json) => (json.dsseEnvelope.signatures[0].sig += ' '),
      'attestation',
      'signatures.0.sig',
    ],
    ['no signature', (json) => (json.dsseEnvelope.signatures = []), 'attestation', 'signatures'],
    [
      'two signatures',
      (json) => json.dsseEnvelope.signatures.push(json.dsseEnvelope.signatures[0]),
      'attestation',
      'signatures',
    ],
    [
      'keyid',
      (json) => (json.dsseEnvelope.signatures[0].keyid = 'x'),
      'signature',
      'key id beside the signature',
    ],
    [
      'something in the signature',
      (json) => (json.dsseEnvelope.signatures[0].extra = 1),
      'attestation',
      'extra',
    ],
    ['something in the envelope', (json) => (json.dsseEnvelope.extra = 1), 'attestation', 'extra'],
    ['something beside all that', (json) => (json.extra = 1), 'attestation', 'extra'],
  ];

  it.each(regions)('is found and named: %s', async (_name, change, kind, named) => {
    const registry = new MemoryRegistry();
    const { digest, platforms } = await putImage(registry, image);
    const bundle = signedBundle(recipeOf(image, platforms), key);
    const json = JSON.parse(Buffer.from(bundle.bytes).toString());
    change(json);
    const bytes = Buffer.from(JSON.stringify(json));
    await attach({ registry, image, subject: digest, bundles: [{ ...bundle, bytes }], clock });
    const answer = await look(registry, digest, {
      policy: policyOf(key, { predicates: [predicateTypes.recipe] }),
    });
    expect(answer.answer).toBe('bad');
    expectNamed(answer, 'warning', `${kind}-invalid`, named);
  });

  it('may name its key beside the signature, or leave that empty, as other tools do', async () => {
    for (const keyid of ['', key.publicKey.keyid]) {
      const registry = new MemoryRegistry();
      const { digest, platforms } = await putImage(registry, image);
      const bundle = signedBundle(recipeOf(image, platforms), key);
      const json = JSON.parse(Buffer.from(bundle.bytes).toString());
      json.dsseEnvelope.signatures[0].keyid = keyid;
      const bytes = Buffer.from(JSON.stringify(json));
      await attach({ registry, image, subject: digest, bundles: [{ ...bundle, bytes }], clock });
      const only = policyOf(key, { predicates: [predicateTypes.recipe] });
      expect(await look(registry, digest, { policy: only })).toMatchObject({
        answer: 'verified',
        findings: [],
      });
    }
  });

  it('that our key signed as something else than a statement is none', async () => {
    const registry = new MemoryRegistry();
    const { digest, platforms } = await putImage(registry, image);
    const envelope = signEnvelope('text/plain', statementBytes(recipeOf(image, platforms)), key);
    const bundle = signedBundle(recipeOf(image, platforms), key);
    const bytes = bundleBytes(envelope, key.publicKey.keyid);
    await attach({ registry, image, subject: digest, bundles: [{ ...bundle, bytes }], clock });
    const answer = await look(registry, digest);
    expect(answer.answer).toBe('bad');
    expectNamed(answer, 'warning', 'signature-invalid', 'something else than a statement');
  });

  it('with the hint of another key of the policy is found, with or without that key at hand', async () => {
    const [first, second] = [newKey(), newKey()];
    const registry = new MemoryRegistry();
    const { digest, platforms } = await putImage(registry, image);
    const own = signedBundle(recipeOf(image, platforms), first.key);
    const text = Buffer.from(own.bytes)
      .toString()
      .replace(first.key.publicKey.keyid, second.key.publicKey.keyid);
    await attach({
      registry,
      image,
      subject: digest,
      bundles: [{ ...own, bytes: Buffer.from(text) }],
      clock,
    });
    const keys = [first, second].map(({ key, publicPem }) => ({
      keyid: key.publicKey.keyid,
      builder,
      key: publicPem,
    }));
    const named = await look(registry, digest, { policy: policyOf(first.key, { keys }) });
    expectNamed(named, 'warning', 'signature-invalid', 'key hint names another key');
    const forged = Buffer.from(signedBundle(provenanceOf(image, platforms), stranger).bytes)
      .toString()
      .replace(stranger.publicKey.keyid, second.key.publicKey.keyid);
    await attach({
      registry,
      image,
      subject: digest,
      bundles: [{ bytes: Buffer.from(forged), predicateType: predicateTypes.provenance }],
      clock,
    });
    const half = [keys[0]!, { keyid: keys[1]!.keyid, builder }];
    const unknown = await look(registry, digest, { policy: policyOf(first.key, { keys: half }) });
    expectNamed(unknown, 'warning', 'signature-invalid', 'public key beside it');
    const bare = keys.map(({ keyid }) => ({ keyid, builder }));
    const other = await look(registry, digest, { policy: policyOf(first.key, { keys: [bare[1]!] }) });
    expectNamed(other, 'warning', 'signature-invalid', 'public key beside it');
  });

  it('is found whichever of its bytes it is', async () => {
    const registry = new MemoryRegistry();
    const { digest, platforms } = await putImage(registry, image);
    const only = policyOf(key, { predicates: [predicateTypes.recipe] });
    const bundle = signedBundle(recipeOf(image, platforms), key);
    await fc.assert(
      fc.asyncProperty(fc.nat(bundle.bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        registry.tagged.clear();
        const bytes = Buffer.from(bundle.bytes);
        bytes[at] = bytes[at]! ^ by;
        await attach({ registry, image, subject: digest, bundles: [{ ...bundle, bytes }], clock });
        const answer = await look(registry, digest, { policy: only });
        expect(answer.answer).toBe('bad');
        expect(said(answer)[0]).toMatch(/^warning (attestation|signature)-invalid: /);
      }),
      { numRuns: 150 },
    );
  });

  it('is not what brings log entries along: they are told, and nothing rests on them', async () => {
    for (const material of [{ tlogEntries: [{ logIndex: '1' }] }, { timestampVerificationData: { x: [] } }]) {
      const registry = new MemoryRegistry();
      const { digest, platforms } = await putImage(registry, image);
      const bundle = signedBundle(recipeOf(image, platforms), key);
      const json = JSON.parse(Buffer.from(bundle.bytes).toString());
      Object.assign(json.verificationMaterial, material);
      const bytes = Buffer.from(JSON.stringify(json));
      await attach({ registry, image, subject: digest, bundles: [{ ...bundle, bytes }], clock });
      const answer = await look(registry, digest, {
        policy: policyOf(key, { predicates: [predicateTypes.recipe] }),
      });
      expect(answer.answer).toBe('verified');
      expectNamed(answer, 'warning', 'attestation-odd', 'log entries and timestamps');
    }
  });
});

describe('a changed manifest around a bundle', () => {
  /** Puts changed manifests into the list in place of the good ones. */
  async function rewrapped(change: (json: Json) => void, use: Policy = policy): Promise<Verification> {
    const registry = new MemoryRegistry();
    const { digest, referrers } = await attested(registry, image, key);
    const manifests = [];
    for (const referrer of referrers) {
      const raw = registry.manifests.get(referrer)!;
      const json = JSON.parse(Buffer.from(raw.bytes).toString());
      change(json);
      const bytes = Buffer.from(JSON.stringify(json));
      registry.manifests.set(digestOf(bytes), { bytes, mediaType: raw.mediaType, digest: digestOf(bytes) });
      manifests.push({ mediaType: raw.mediaType, digest: digestOf(bytes), size: bytes.length });
    }
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
    await registry.putManifest(withTag(image, fallbackTag(digest)), { bytes, mediaType });
    return look(registry, digest, { policy: use });
  }

  const deciding: readonly [string, (json: Json) => void, string, string][] = [
    [
      'subject',
      (json) => (json.subject.digest = `sha256:${'0'.repeat(64)}`),
      'attestation-invalid',
      'another subject',
    ],
    ['no subject', (json) => delete json.subject, 'attestation-invalid', 'another subject'],
    ['layer type', (json) => (json.layers[0].mediaType = 'text/plain'), 'attestation-invalid', 'has none'],
    [
      'version of the layer type',
      (json) => (json.layers[0].mediaType = json.layers[0].mediaType.replace('v0.3', 'v0.2')),
      'attestation-invalid',
      'bundle.v0.2+json',
    ],
    [
      'layer digest',
      (json) => (json.layers[0].digest = `sha256:${'0'.repeat(64)}`),
      'attestation-missing',
      'is not there',
    ],
    ['no layer', (json) => (json.layers = []), 'attestation-invalid', 'has none'],
    ['two layers', (json) => json.layers.push(json.layers[0]), 'attestation-invalid', 'more than the bundle'],
    ['layer size', (json) => (json.layers[0].size += 1), 'attestation-invalid', 'not as long'],
    ['a huge layer', (json) => (json.layers[0].size = 9 * 1024 * 1024), 'attestation-invalid', 'too large'],
    [
      'public key',
      (json) => (json.annotations['dev.knowngood.signing-key'] = stranger.publicKey.spki),
      'signature-invalid',
      'public key beside it',
    ],
    ['no public key', (json) => (json.annotations = {}), 'signature-invalid', 'public key beside it'],
    ['shape of the config', (json) => (json.config = 1), 'attestation-invalid', 'config'],
    ['mediaType', (json) => (json.mediaType = 'text/plain'), 'attestation-invalid', 'mediaType'],
  ];
  it.each(deciding)('is found and named: %s', async (_name, change, code, named) => {
    const answer = await rewrapped(change);
    expect(said(answer).join()).not.toContain('..');
    expect(answer.answer).toBe(code === 'attestation-missing' ? 'missing' : 'bad');
    expectNamed(answer, 'warning', code, named);
  });

  const odd: readonly [string, (json: Json) => void, string][] = [
    ['artifactType', (json) => (json.artifactType = 'text/plain'), 'does not say that it is a bundle'],
    ['no artifactType', (json) => delete json.artifactType, 'does not say that it is a bundle'],
    ['config', (json) => (json.config.digest = digestOf('x')), 'a config of its own'],
    ['type of the config', (json) => (json.config.mediaType = 'text/plain'), 'a config of its own'],
    [
      'annotation of the content',
      (json) => (json.annotations['dev.sigstore.bundle.content'] = 'message-signature'),
      'no statement',
    ],
    [
      'annotation of the predicate type',
      (json) => (json.annotations['dev.sigstore.bundle.predicateType'] = 'https://example.org/x'),
      'says that it is https://example.org/x',
    ],
  ];
  it.each(odd)('is told where nothing rests on it: %s', async (_name, change, named) => {
    const answer = await rewrapped(change);
    expect(answer.answer).toBe('verified');
    expectNamed(answer, 'warning', 'attestation-odd', named);
  });

  it('may have lost its hint of the key where the policy has the key', async () => {
    const keys = policy.keys.map((entry) => ({ ...entry, key: publicPem }));
    expect(await rewrapped((json) => delete json.annotations, policyOf(key, { keys }))).toMatchObject({
      answer: 'verified',
      findings: [],
    });
  });

  it('that is listed as something else is not opened, and counted', async () => {
    const registry = new MemoryRegistry();
    const { digest } = await attested(registry, image, key);
    const tag = fallbackTag(digest);
    const { bytes, mediaType } = registry.manifests.get(registry.tagged.get(tag)!)!;
    const json = JSON.parse(Buffer.from(bytes).toString());
    for (const entry of json.manifests) entry.artifactType = 'application/spdx+json';
    await registry.putManifest(withTag(image, tag), { bytes: Buffer.from(JSON.stringify(json)), mediaType });
    const answer = await look(registry, digest);
    expect(answer.answer).toBe('missing');
    expectNamed(answer, 'error', 'attestation-missing', '2 listed as something else');
  });
});
