import { sign, verify } from 'node:crypto';
import { type Envelope, preAuthenticationEncoding } from './dsse.ts';
import type { SigningKey, VerifyingKey } from './key.ts';

/**
 * Signs these bytes as a DSSE envelope with one signature: ECDSA over sha256 in DER, which is what verifiers of
 * bundles expect (not the P1363 form), or Ed25519.
 */
export function signEnvelope(payloadType: string, payload: Uint8Array, key: SigningKey): Envelope {
  const signature = sign(digestFor(key.publicKey), preAuthenticationEncoding(payloadType, payload), {
    key: key.privateKey,
    dsaEncoding: 'der',
  });
  return {
    payload: Buffer.from(payload).toString('base64'),
    payloadType,
    // No `keyid`: cosign compares it with a spelling of its own and skips a signature that has another.
    signatures: [{ sig: signature.toString('base64') }],
  };
}

/** Whether this is a signature by that key over these bytes as that type. */
export function signatureHolds(
  payloadType: string,
  payload: Uint8Array,
  signature: Uint8Array,
  key: VerifyingKey,
): boolean {
  return verify(
    digestFor(key),
    preAuthenticationEncoding(payloadType, payload),
    { key: key.key, dsaEncoding: 'der' },
    signature,
  );
}

/** Ed25519 hashes on its own; naming a digest for it is an error. */
function digestFor(key: VerifyingKey): 'sha256' | undefined {
  return key.key.asymmetricKeyType === 'ed25519' ? undefined : 'sha256';
}
