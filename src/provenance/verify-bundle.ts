import type { Bundle } from './bundle.ts';
import { decodeBase64 } from './dsse.ts';
import { publicKeyNamed, readPublicKey, type VerifyingKey } from './key.ts';
import type { Policy, PolicyKey } from './policy.ts';
import { signatureHolds } from './sign.ts';
import { PAYLOAD_TYPE } from './statement.ts';

/** Somebody whom the policy knows. */
export interface Signer {
  /** Key id, or certificate subject. */
  readonly name: string;
  /** The builders that the policy pairs with it. */
  readonly builders: readonly string[];
  /** Commit that the certificate authority says was built, where a certificate says so. */
  readonly sourceCommit?: string;
}

/**
 * - `signed`    by a policy identity, over exactly these bytes
 * - `stranger`  by somebody whom the policy does not know: to be counted and ignored
 * - `damaged`   it claims a policy identity, and its signature does not hold
 */
export type BundleVerdict =
  | { readonly kind: 'signed'; readonly signer: Signer; readonly payload: Uint8Array }
  | { readonly kind: 'stranger' }
  | { readonly kind: 'damaged'; readonly what: string };

/** Verifies the signature of a bundle made with a key; `spki` is the public key found beside it, a mere hint. */
export function verifyKeyBundle(
  bundle: Bundle,
  policy: Pick<Policy, 'keys'>,
  spki: string | undefined,
): BundleVerdict {
  const { envelope, signer } = bundle;
  if (signer.kind !== 'key') return { kind: 'stranger' };
  const payload = decodeBase64(envelope.payload);
  const [{ sig, keyid } = { sig: '' }] = envelope.signatures;
  const signature = decodeBase64(sig);
  if (payload === undefined || signature === undefined)
    return { kind: 'damaged', what: 'its base64 is not plain' };

  const claimed = policy.keys.filter((entry) => entry.keyid === signer.hint);
  const known = policy.keys.flatMap((entry) => {
    const key = keyOf(entry, spki);
    return key === undefined ? [] : [{ entry, key }];
  });
  const signers = known.filter(({ key }) => signatureHolds(envelope.payloadType, payload, signature, key));
  if (signers.length === 0) {
    if (claimed.length === 0) return { kind: 'stranger' };
    return known.some(({ entry }) => entry.keyid === signer.hint)
      ? { kind: 'damaged', what: 'the signature does not hold' }
      : { kind: 'damaged', what: 'the public key beside it is not the one that its key id names' };
  }
  // From here on a policy key made it, so whatever does not fit was changed afterwards.
  const key = signers[0]!.key;
  if (signer.hint !== key.keyid) return { kind: 'damaged', what: 'its key hint names another key' };
  if (keyid !== undefined && keyid !== '' && keyid !== key.keyid) {
    return { kind: 'damaged', what: 'the key id beside the signature names another key' };
  }
  if (envelope.payloadType !== PAYLOAD_TYPE)
    return { kind: 'damaged', what: 'it is signed as something else than a statement' };
  const builders = policy.keys.filter((entry) => entry.keyid === key.keyid).map((entry) => entry.builder);
  return { kind: 'signed', signer: { name: key.keyid, builders }, payload };
}

function keyOf(entry: PolicyKey, spki: string | undefined): VerifyingKey | undefined {
  if (entry.key !== undefined) return readPublicKey(entry.key);
  return spki === undefined ? undefined : publicKeyNamed(entry.keyid, spki);
}
