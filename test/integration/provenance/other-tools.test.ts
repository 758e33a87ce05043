import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseReference, repositoryName, withDigest } from '../../../src/oci/reference.ts';
import { type Signed, signAndAttach } from '../../../src/provenance/signing.ts';
import { predicateTypes } from '../../../src/provenance/statement.ts';
import { verifyImage } from '../../../src/provenance/verify.ts';
import { newKey, policyOf, provenanceOf, putImage, recipeOf } from '../../unit/provenance/scene.ts';
import { bundleOf, opensslVerify, shell } from './documented.ts';
import { hastyClock, openRegistry } from './real-registry.ts';

const run = promisify(execFile);

describe.each(['ec', 'ed25519'] as const)('what a key (%s) signed', (type) => {
  const own = newKey(type);
  const registry = openRegistry();
  const folder = mkdtempSync(join(tmpdir(), 'attested-'));
  const publicKey = join(folder, 'key.pub');
  writeFileSync(publicKey, own.publicPem);
  let box: Sandbox;
  let image: string;
  let digests: readonly [Digest, ...Digest[]];
  let signed: Signed;

  beforeAll(async () => {
    box = await sandbox();
    const reference = parseReference(`${box.registry.host}/attested/${type}`);
    image = repositoryName(reference);
    const made = await putImage(registry, reference, { platforms: ['amd64', 'arm64'], salt: type });
    digests = [made.digest, ...made.platforms];
    const statements = [provenanceOf(reference, digests), recipeOf(reference, digests)];
    const request = {
      registry,
      image: reference,
      digests,
      statements,
      signingKey: own.pem,
      clock: hastyClock,
    };
    signed = await signAndAttach(request);
    // A second run finds what is there: nothing is signed or attached again.
    expect(await signAndAttach(request)).toEqual(signed);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([predicateTypes.provenance, predicateTypes.recipe])(
    'cosign 3 accepts: %s',
    async (predicateType) => {
      const cosign = await box.tool('cosign-3');
      const verify = (key: string, digest: string) =>
        run(cosign, [
          'verify-attestation',
          ...['--key', key, '--insecure-ignore-tlog', '--allow-http-registry', '--type', predicateType],
          `${image}@${digest}`,
        ]);
      // Index and each platform, because consumers look at either.
      for (const digest of digests) {
        const { stdout } = await verify(publicKey, digest);
        const statement = JSON.parse(Buffer.from(JSON.parse(stdout).payload, 'base64').toString());
        expect(statement.predicateType).toBe(predicateType);
      }
      const stranger = join(folder, 'stranger.pub');
      writeFileSync(stranger, newKey(type).publicPem);
      await expect(verify(stranger, digests[0])).rejects.toThrow();
    },
  );

  it('oras finds and pulls', async () => {
    const oras = await box.tool('oras');
    const { stdout } = await run(oras, [
      'discover',
      '--plain-http',
      '--format',
      'json',
      `${image}@${digests[0]}`,
    ]);
    const found: { digest: string; artifactType: string }[] = JSON.parse(stdout).referrers;
    expect(found.map((one) => one.digest).sort()).toEqual(
      signed.bundles.map((one) => one.attestation).sort(),
    );
    for (const { bytes, attestation } of signed.bundles) {
      await run(oras, ['pull', '--plain-http', '--output', folder, `${image}@${attestation}`]);
      expect(readFileSync(join(folder, 'attestation.sigstore.json')).equals(bytes)).toBe(true);
    }
  });

  it('openssl verifies', async () => {
    const bundle = bundleOf(Buffer.from(signed.bundles[0]!.bytes).toString());
    expect(await opensslVerify(bundle, folder)).toMatch(/Verified OK|Signature Verified Successfully/);
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64');
    payload[payload.length - 2]! ^= 1;
    bundle.dsseEnvelope.payload = payload.toString('base64');
    await expect(opensslVerify(bundle, folder)).rejects.toThrow();
  });

  it("sigstore's own library verifies", async () => {
    const { publicKey: key } = own.key;
    const trust = toTrustMaterial(
      { mediaType: '', tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] },
      (hint) => {
        expect(hint).toBe(key.keyid);
        return { publicKey: key.key as never, validFor: () => true };
      },
    );
    const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
    for (const { bytes } of signed.bundles) {
      const json = JSON.parse(Buffer.from(bytes).toString());
      verifier.verify(toSignedEntity(bundleFromJSON(json)));
      json.dsseEnvelope.payload = Buffer.from('{}').toString('base64');
      expect(() => verifier.verify(toSignedEntity(bundleFromJSON(json)))).toThrow();
    }
  });

  it.runIf(type === 'ec')('is what cosign could have signed: verify takes that too', async () => {
    const cosign = await box.tool('cosign-3');
    const reference = parseReference(`${box.registry.host}/cosigned/${type}`);
    const { digest, platforms } = await putImage(registry, reference, { salt: 'cosigned' });
    writeFileSync(join(folder, 'key.pem'), own.pem);
    const options = { cwd: folder, env: { COSIGN_PASSWORD: '' } };
    await shell(`${cosign} import-key-pair --key key.pem 2>&1`, options);
    for (const statement of [provenanceOf(reference, platforms), recipeOf(reference, platforms)]) {
      writeFileSync(join(folder, 'predicate.json'), JSON.stringify(statement.predicate));
      await shell(
        [
          `${cosign} attest -y --key import-cosign.key --tlog-upload=false --use-signing-config=false`,
          `--allow-http-registry --type ${statement.predicateType} --predicate predicate.json`,
          `${repositoryName(reference)}@${digest} 2>&1`,
        ].join(' '),
        options,
      );
    }
    // cosign hangs no public key beside its bundles, so the policy has it.
    const keys = policyOf(own.key).keys.map((pair) => ({ ...pair, key: own.publicPem }));
    const image = withDigest(reference, digest);
    const answer = await verifyImage({ registry, image, policy: policyOf(own.key, { keys }) });
    expect(answer.findings).toEqual([]);
    expect(answer.answer).toBe('verified');
  });

  it('survives a copy of image and referrers to another repository', async () => {
    const oras = await box.tool('oras');
    const copy = `${box.registry.host}/copied/${type}`;
    await run(oras, [
      'copy',
      '--recursive',
      '--from-plain-http',
      '--to-plain-http',
      `${image}@${digests[0]}`,
      copy,
    ]);
    const at = withDigest(parseReference(copy), digests[0]);
    expect(await verifyImage({ registry, image: at, policy: policyOf(own.key) })).toMatchObject({
      answer: 'verified',
    });
  });
});
