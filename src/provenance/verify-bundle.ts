import type { Bundle } from './bundle.ts';
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
  const { payload, payloadType, signature, keyid, signer } = bundle;
  if (signer.kind !== 'key') return { kind: 'stranger' };
  const known = policy.keys.flatMap((entry) => keyOf(entry, spki) ?? []);
  const key = known.find((one) => signatureHolds(payloadType, payload, signature, one));
  if (key === undefined) {
    if (!policy.keys.some((entry) => entry.keyid === signer.hint)) return { kind: 'stranger' };
    return known.some((one) => one.keyid === signer.hint)
      ? { kind: 'damaged', what: 'the signature does not hold' }
      : { kind: 'damaged', what: 'the public key beside it is not the one that its key id names' };
  }
  // From here on a policy key made it, so whatever does not fit was changed afterwards.
  if (signer.hint !== key.keyid) return { kind: 'damaged', what: 'its key hint names another key' };
  if (keyid !== '' && keyid !== key.keyid) {
    return { kind: 'damaged', what: 'the key id beside the signature names another key' };
  }
  if (payloadType !== PAYLOAD_TYPE)
    return { kind: 'damaged', what: 'it is signed as something else than a statement' };
  const builders = policy.keys.filter((entry) => entry.keyid === key.keyid).map((entry) => entry.builder);
  return { kind: 'signed', signer: { name: key.keyid, builders }, payload };
}

function keyOf(entry: PolicyKey, spki: string | undefined): VerifyingKey | undefined {
  if (entry.key !== undefined) return readPublicKey(entry.key);
  return spki === undefined ? undefined : publicKeyNamed(entry.keyid, spki);
}
