import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { Failure } from '../outcome.ts';
import { decodeBase64 } from './dsse.ts';

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: VerifyingKey;
}

export interface VerifyingKey {
  readonly key: KeyObject;
  /** base64 of the sha256 of the SPKI, the hint by which cosign names a key. */
  readonly keyid: string;
  /** base64 of the SPKI (DER). */
  readonly spki: string;
}

/**
 * The private key that a secret holds: PKCS#8 PEM, P-256 or Ed25519. The message never repeats any of it.
 *
 * @throws Failure `signing-key-invalid`
 */
export function readSigningKey(pem: string): SigningKey {
  const text = pem.trim();
  if (/^-----BEGIN ENCRYPTED/.test(text)) {
    throw invalid('is encrypted, and there is nobody in a pipeline who could type its passphrase');
  }
  if (!/^-----BEGIN PRIVATE KEY-----\r?\n/.test(text)) {
    throw invalid(
      text.includes('\\n')
        ? 'has `\\n` where its line breaks should be'
        : 'is not a PKCS#8 PEM (`-----BEGIN PRIVATE KEY-----`)',
    );
  }
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: text, format: 'pem' });
  } catch {
    // OpenSSL's message may quote the input, so it is not passed on.
    throw invalid('cannot be read');
  }
  return { privateKey, publicKey: verifyingKey(createPublicKey(privateKey)) };
}

/** A public key as a policy holds it (PEM). @throws Failure `policy-invalid` */
export function readPublicKey(pem: string): VerifyingKey {
  if (!/^\s*-----BEGIN PUBLIC KEY-----/.test(pem)) {
    throw new Failure('policy-invalid', 'A `key` of the policy is not a public key in PEM.');
  }
  try {
    return verifyingKey(createPublicKey(pem));
  } catch (cause) {
    throw new Failure(
      'policy-invalid',
      'A `key` of the policy cannot be used: P-256 or Ed25519 is asked for.',
      { cause },
    );
  }
}

/**
 * The public key in these SPKI bytes (base64) if it is the one that `keyid` names. The bytes may come from anyone:
 * that they hash to a key id of the policy is what makes them that key.
 */
export function publicKeyNamed(keyid: string, spki: string): VerifyingKey | undefined {
  const der = decodeBase64(spki);
  if (der === undefined || keyidOf(der) !== keyid) return undefined;
  try {
    return verifyingKey(createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' }));
  } catch {
    return undefined;
  }
}

function verifyingKey(key: KeyObject): VerifyingKey {
  const p256 = key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  if (!p256 && key.asymmetricKeyType !== 'ed25519') throw invalid('is neither P-256 nor Ed25519');
  const der = key.export({ format: 'der', type: 'spki' });
  return { key, keyid: keyidOf(der), spki: der.toString('base64') };
}

function keyidOf(spki: Uint8Array): string {
  return createHash('sha256').update(spki).digest('base64');
}

function invalid(what: string): Failure {
  return new Failure('signing-key-invalid', `The signing key ${what}.`);
}
