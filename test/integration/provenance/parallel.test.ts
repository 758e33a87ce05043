import { beforeAll, describe, expect, it } from 'vitest';
import { sandbox } from '../../../sandbox/index.ts';
import { systemClock } from '../../../src/http/clock.ts';
import { parseReference, type Reference, withDigest } from '../../../src/oci/reference.ts';
import { attach, listReferrers } from '../../../src/provenance/referrers.ts';
import { verifyImage } from '../../../src/provenance/verify.ts';
import {
  newKey,
  policyOf,
  provenanceOf,
  putImage,
  recipeOf,
  signedBundle,
} from '../../unit/provenance/scene.ts';
import { openRegistry } from './real-registry.ts';

describe('the fallback tag of a real registry', () => {
  let host: string;
  beforeAll(async () => {
    host = (await sandbox()).registry.host;
  });
  const image = (name: string): Reference => parseReference(`${host}/fallback/${name}`);

  it('loses nothing that was reported written by 32 at once', async () => {
    const repository = image('parallel');
    const { digest } = await putImage(openRegistry(), repository);
    const results = await Promise.allSettled(
      Array.from({ length: 32 }, (_, i) => {
        // A client each, as 32 jobs would have: no connection, memory or lock is shared.
        const bundles = [{ bytes: Buffer.from(`bundle ${i}`), predicateType: 'https://example.org/x' }];
        return attach({
          registry: openRegistry(),
          image: repository,
          subject: digest,
          bundles,
          clock: systemClock,
        });
      }),
    );
    const written = results.flatMap((one) => (one.status === 'fulfilled' ? one.value.referrers : []));
    const listed = (await listReferrers(openRegistry(), repository, digest)).map((entry) => entry.digest);
    expect(results.filter((one) => one.status === 'rejected')).toEqual([]);
    expect(new Set(written).size).toBe(32);
    expect([...listed].sort()).toEqual([...written].sort());
  });

  it('takes a new attestation although one that it lists was deleted', async () => {
    const repository = image('dead-child');
    const registry = openRegistry();
    const { key } = newKey();
    const { digest, platforms } = await putImage(registry, repository);
    const junk = { bytes: Buffer.from('junk'), predicateType: 'https://example.org/x' };
    const request = { registry, image: repository, subject: digest, clock: systemClock };
    const { referrers } = await attach({ ...request, bundles: [junk] });
    const gone = await fetch(`http://${host}/v2/${repository.repository}/manifests/${referrers[0]}`, {
      method: 'DELETE',
    });
    expect(gone.status).toBe(202);
    const bundles = [provenanceOf(repository, platforms), recipeOf(repository, platforms)].map((it) =>
      signedBundle(it, key),
    );
    const healed = await attach({ ...request, bundles });
    const listed = (await listReferrers(registry, repository, digest)).map((entry) => entry.digest);
    expect([...listed].sort()).toEqual([...healed.referrers].sort());
    const answer = await verifyImage({
      registry,
      image: withDigest(repository, digest),
      policy: policyOf(key),
    });
    expect(answer).toMatchObject({ answer: 'verified', findings: [] });
  });
});
