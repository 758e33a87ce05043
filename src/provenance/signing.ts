import type { Clock } from '../http/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { Registry } from '../registry/registry.ts';
import { bundleBytes, parseBundle } from './bundle.ts';
import { findBundles } from './find-bundles.ts';
import { readSigningKey, type SigningKey } from './key.ts';
import { attach } from './referrers.ts';
import { signEnvelope } from './sign.ts';
import { PAYLOAD_TYPE, type Statement, statementBytes } from './statement.ts';
import { verifyKeyBundle } from './verify-bundle.ts';

export interface SigningRequest {
  readonly registry: Registry;
  /** The repository; tag and digest are not looked at. */
  readonly image: Reference;
  /** What each statement is attached to: index or manifest first, then each platform's manifest. */
  readonly digests: readonly [Digest, ...Digest[]];
  readonly statements: readonly Statement[];
  /** PKCS#8 PEM. */
  readonly signingKey: string;
  readonly clock: Clock;
}

export interface Signed {
  readonly keyid: string;
  /** In the order of the statements. */
  readonly bundles: readonly {
    readonly bytes: Uint8Array;
    /** Referrer manifest on the first of the digests. */
    readonly attestation: Digest;
  }[];
  readonly through: 'referrers-api' | 'fallback-tag';
}

/**
 * Signs statements and attaches each to all the digests. A statement that this key has signed before and that hangs
 * there already is not signed again: an ECDSA signature is another one each time, so a repeated run would otherwise
 * add one more attestation that says the same.
 *
 * @throws Failure `signing-key-invalid`, and what attaching fails with
 */
export async function signAndAttach(request: SigningRequest): Promise<Signed> {
  const { registry, image, digests, statements, clock } = request;
  const key = readSigningKey(request.signingKey);
  const earlier = await signedBefore(request, key);
  const bundles = statements.map((statement) => {
    const payload = Buffer.from(statementBytes(statement));
    const bytes =
      earlier.find((one) => payload.equals(one.payload))?.bytes ??
      bundleBytes(signEnvelope(PAYLOAD_TYPE, payload, key), key.publicKey.keyid);
    return { bytes, predicateType: statement.predicateType, spki: key.publicKey.spki };
  });
  const [first] = await Promise.all(
    digests.map((subject) => attach({ registry, image, subject, bundles, clock })),
  );
  return {
    keyid: key.publicKey.keyid,
    bundles: bundles.map(({ bytes }, i) => ({ bytes, attestation: first!.referrers[i]! })),
    through: first!.through,
  };
}

async function signedBefore(
  { registry, image, digests }: SigningRequest,
  key: SigningKey,
): Promise<{ bytes: Uint8Array; payload: Uint8Array }[]> {
  const { keyid, spki } = key.publicKey;
  const policy = { keys: [{ keyid, builder: '' }] };
  const { found } = await findBundles(registry, image, digests[0], (other) => other === spki);
  return found.flatMap((item) => {
    if (item.kind !== 'bundle') return [];
    try {
      const verdict = verifyKeyBundle(parseBundle(item.bytes), policy, spki);
      return verdict.kind === 'signed' ? [{ bytes: item.bytes, payload: verdict.payload }] : [];
    } catch {
      // Whatever else hangs there is not ours, and verifying is what judges it.
      return [];
    }
  });
}
