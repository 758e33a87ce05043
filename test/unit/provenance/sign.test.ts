import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/outcome.ts';
import { bundleBytes, parseBundle } from '../../../src/provenance/bundle.ts';
import { decodeBase64, preAuthenticationEncoding } from '../../../src/provenance/dsse.ts';
import { publicKeyNamed, readPublicKey, readSigningKey } from '../../../src/provenance/key.ts';
import { signatureHolds, signEnvelope } from '../../../src/provenance/sign.ts';
import { newKey } from './scene.ts';

describe('pre-authentication encoding', () => {
  it('is the one of the DSSE specification', () => {
    const encoded = preAuthenticationEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(Buffer.from(encoded).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('counts bytes, not characters', () => {
    expect(Buffer.from(preAuthenticationEncoding('ü', Buffer.from('é😀'))).toString()).toBe(
      'DSSEv1 2 ü 6 é😀',
    );
  });

  it('gives two pairs of type and payload never one text', () => {
    const text = fc.string();
    fc.assert(
      fc.property(text, text, text, text, (typeA, a, typeB, b) => {
        const same = typeA === typeB && a === b;
        const encodedA = Buffer.from(preAuthenticationEncoding(typeA, Buffer.from(a)));
        expect(encodedA.equals(preAuthenticationEncoding(typeB, Buffer.from(b)))).toBe(same);
      }),
    );
  });
});

describe('base64', () => {
  it.each(['YQ', 'YR==', 'YQ==\n', 'Y Q==', '_w==', 'YQ===', 'Y*Q='])(
    'has one spelling: %j is refused',
    (text) => {
      expect(decodeBase64(text)).toBeUndefined();
    },
  );

  it('takes back what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(Buffer.from(decodeBase64(Buffer.from(bytes).toString('base64'))!).equals(bytes)).toBe(true);
      }),
    );
  });
});

describe('signing key', () => {
  it.each(['ed25519', 'ec'] as const)('%s signs, and the key id is the sha256 of its SPKI', (type) => {
    const { key, publicPem } = newKey(type);
    const payload = Buffer.from('{"a":1}');
    const envelope = signEnvelope('t', payload, key);
    const signature = Buffer.from(envelope.signatures[0]!.sig, 'base64');
    expect(signatureHolds('t', payload, signature, key.publicKey)).toBe(true);
    expect(signatureHolds('u', payload, signature, key.publicKey)).toBe(false);
    const spki = createPublicKey(publicPem).export({ type: 'spki', format: 'der' });
    expect(key.publicKey.keyid).toBe(createHash('sha256').update(spki).digest('base64'));
    expect(readPublicKey(publicPem).keyid).toBe(key.publicKey.keyid);
  });

  it('may have space around it, as secrets have that were pasted', () => {
    const { key, pem } = newKey();
    expect(readSigningKey(`\n  ${pem}\n\n`).publicKey.keyid).toBe(key.publicKey.keyid);
  });

  it.each([
    ['a private key', newKey().pem, 'is not a public key'],
    ['nothing', '', 'is not a public key'],
    ['what looks like one', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', 'cannot be used'],
  ])('of a policy is a public one: %s is refused', (_name, text, hint) => {
    expect(() => readPublicKey(text)).toThrow(
      expect.objectContaining({ code: 'policy-invalid', message: expect.stringContaining(hint) }),
    );
  });

  const pem = (pair: ReturnType<typeof generateKeyPairSync>, options: object): string =>
    pair.privateKey.export({ format: 'pem', type: 'pkcs8', ...options } as never) as unknown as string;
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const encrypted = pem(p256, { cipher: 'aes-256-cbc', passphrase: 'x' });
  const sec1 = pem(p256, { type: 'sec1' });
  const cosigns = encrypted.replaceAll('ENCRYPTED PRIVATE', 'ENCRYPTED SIGSTORE PRIVATE');
  it.each([
    ['an encrypted key', encrypted, 'encrypted'],
    ["cosign's own format", cosigns, 'encrypted'],
    ['SEC1', sec1, 'PKCS#8'],
    ['RSA', pem(rsa, {}), 'P-256'],
    ['P-384', pem(p384, {}), 'P-256'],
    ['line breaks lost on the way', pem(p256, {}).replaceAll('\n', '\\n'), 'line breaks'],
    ['a damaged key', pem(p256, {}).replace(/MI.{40}/, 'AAAA'), 'cannot be read'],
    ['a public key', newKey().publicPem, 'PKCS#8'],
    ['nothing', '', 'PKCS#8'],
  ])('%s is refused, and its text is in no message', (_name, text, hint) => {
    const body = text.split(/\n|\\n/).filter((line) => line.length > 20 && !line.startsWith('-'));
    try {
      readSigningKey(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(Failure);
      const failure = error as Failure;
      expect(failure.code).toBe('signing-key-invalid');
      expect(failure.message).toContain(hint);
      const shown = JSON.stringify([
        failure.message,
        failure.remedy,
        String(failure.stack),
        String(failure.cause),
      ]);
      for (const line of body) expect(shown).not.toContain(line);
    }
  });

  it('is found beside a bundle only by its hash', () => {
    const { key } = newKey();
    const other = newKey().key;
    expect(publicKeyNamed(key.publicKey.keyid, key.publicKey.spki)?.keyid).toBe(key.publicKey.keyid);
    expect(publicKeyNamed(key.publicKey.keyid, other.publicKey.spki)).toBeUndefined();
    expect(publicKeyNamed(key.publicKey.keyid, 'no base64')).toBeUndefined();
  });
});

describe('bundle', () => {
  const { key } = newKey();
  const bytes = bundleBytes(signEnvelope('t', Buffer.from('p'), key), key.publicKey.keyid);

  it('is read back', () => {
    const bundle = parseBundle(bytes);
    expect(bundle.signer).toEqual({ kind: 'key', hint: key.publicKey.keyid });
    expect([Buffer.from(bundle.payload).toString(), bundle.payloadType, bundle.keyid]).toEqual([
      'p',
      't',
      '',
    ]);
  });

  const changed = (change: (json: ReturnType<typeof JSON.parse>) => void): Uint8Array => {
    const json = JSON.parse(Buffer.from(bytes).toString());
    change(json);
    return Buffer.from(JSON.stringify(json));
  };
  it.each([
    [
      'another version',
      changed((json) => {
        json.mediaType = 'application/vnd.dev.sigstore.bundle.v0.2+json';
      }),
    ],
    [
      'no signature',
      changed((json) => {
        json.dsseEnvelope.signatures = [];
      }),
    ],
    [
      'two signatures',
      changed((json) => {
        json.dsseEnvelope.signatures.push(json.dsseEnvelope.signatures[0]);
      }),
    ],
    [
      'no key hint',
      changed((json) => {
        json.verificationMaterial.publicKey = {};
      }),
    ],
    [
      'key and certificate',
      changed((json) => {
        json.verificationMaterial.certificate = { rawBytes: 'cA==' };
      }),
    ],
    [
      'neither',
      changed((json) => {
        json.verificationMaterial = {};
      }),
    ],
    [
      'something unknown',
      changed((json) => {
        json.dsseEnvelope.extra = 1;
      }),
    ],
    [
      'sloppy base64',
      changed((json) => {
        json.dsseEnvelope.payload = 'cB==';
      }),
    ],
    [
      'something unknown about the key',
      changed((json) => {
        json.verificationMaterial.publicKey.rawBytes = 'cA==';
      }),
    ],
    [
      'an empty key hint',
      changed((json) => {
        json.verificationMaterial.publicKey.hint = '';
      }),
    ],
    [
      'something unknown about the certificate',
      changed((json) => {
        json.verificationMaterial = { certificate: { rawBytes: 'cA==', chain: [] } };
      }),
    ],
    ['more than 8 MiB', Buffer.concat([bytes, Buffer.alloc(8 * 1024 * 1024, ' ')])],
    ['a key twice', Buffer.from(Buffer.from(bytes).toString().replace('{', '{"mediaType":"x",'))],
    ['no JSON', Buffer.from('<html>')],
  ])('with %s is refused', (_name, text) => {
    expect(() => parseBundle(text)).toThrow(expect.objectContaining({ code: 'attestation-invalid' }));
  });
});
