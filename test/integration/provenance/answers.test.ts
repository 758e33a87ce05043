import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultProxy, sandbox } from '../../../sandbox/index.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseReference, type Reference, withDigest } from '../../../src/oci/reference.ts';
import type { Verification } from '../../../src/provenance/verification.ts';
import { verifyImage } from '../../../src/provenance/verify.ts';
import { attested, newKey, policyOf } from '../../unit/provenance/scene.ts';
import { openHastyRegistry } from './real-registry.ts';

type Proxy = Awaited<ReturnType<typeof faultProxy>>;

describe('what stands between us and a registry', () => {
  const { key } = newKey();
  let proxy: Proxy;
  let image: Reference;
  let digest: Digest;
  let referrers: readonly Digest[];

  beforeAll(async () => {
    const { host } = (await sandbox()).registry;
    const registry = openHastyRegistry();
    ({ digest, referrers } = await attested(registry, parseReference(`${host}/answers/app`), key));
    proxy = await faultProxy(host);
    image = parseReference(`${proxy.host}/answers/app`);
  });
  afterAll(() => proxy.stop());

  const look = (): Promise<Verification> =>
    verifyImage({ registry: openHastyRegistry(), image: withDigest(image, digest), policy: policyOf(key) });

  it('changes nothing where it changes nothing', async () => {
    const { answer, findings } = await look();
    expect(answer).toBe('verified');
    // It was signed under the registry's own name.
    expect(findings.map(({ code, level }) => `${level} ${code}`)).toEqual(
      referrers.map(() => 'info attestation-odd'),
    );
  });

  const faults: readonly [string, () => Parameters<Proxy['fault']>[0], Verification['answer']][] = [
    [
      'another image under its digest',
      () => ({ path: new RegExp(`manifests/${digest}`), how: 'corrupt' }),
      'bad',
    ],
    [
      'another attestation under its digest',
      () => ({ path: new RegExp(`manifests/${referrers[0]}`), how: 'corrupt' }),
      'bad',
    ],
    ['a changed bundle or config', () => ({ path: /\/blobs\//, how: 'corrupt' }), 'bad'],
    ['a registry that fails', () => ({ how: { status: 503 } }), 'unreachable'],
    ['a list that fails', () => ({ path: /manifests\/sha256-/, how: { status: 500 } }), 'unreachable'],
    ['a denial', () => ({ path: /\/referrers\//, how: { status: 403 } }), 'unreachable'],
    ['a limit', () => ({ path: /\/blobs\//, how: { status: 429 } }), 'unreachable'],
    ["a proxy's own 404", () => ({ path: /manifests\/sha256-/, how: { status: 404 } }), 'unreachable'],
    ['a connection that breaks', () => ({ path: /\/blobs\//, how: 'reset' }), 'unreachable'],
  ];
  it.each(faults)('%s', async (_name, fault, answer) => {
    proxy.fault({ times: Infinity, ...fault() });
    try {
      expect((await look()).answer).toBe(answer);
    } finally {
      proxy.clear();
    }
  });
});
