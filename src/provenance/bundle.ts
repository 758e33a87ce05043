import * as v from 'valibot';
import { parseStrictJson } from '../oci/strict-json.ts';
import { Failure } from '../outcome.ts';
import { decodeBase64, type Envelope } from './dsse.ts';
import { fault } from './fault.ts';

/** https://github.com/sigstore/protobuf-specs, `sigstore_bundle.proto`, version 0.3 in its JSON form. */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** What all versions of bundle media types begin with. */
export const BUNDLE_MEDIA_TYPE_FAMILY = 'application/vnd.dev.sigstore.bundle';

/** Largest bundle that we read, in bytes (security.md 8 of the design). */
export const BUNDLE_LIMIT = 8 * 1024 * 1024;

const base64 = v.pipe(
  v.string(),
  v.transform((text) => decodeBase64(text)),
  v.instance(Uint8Array, 'is not plain base64'),
);

// Strict: what we do not know might change what a bundle means, and nothing in one may change unnoticed.
const schema = v.strictObject({
  mediaType: v.literal(BUNDLE_MEDIA_TYPE),
  verificationMaterial: v.strictObject({
    publicKey: v.optional(v.strictObject({ hint: v.pipe(v.string(), v.minLength(1)) })),
    certificate: v.optional(v.strictObject({ rawBytes: base64 })),
    tlogEntries: v.optional(v.array(v.looseObject({}))),
    timestampVerificationData: v.nullish(v.looseObject({})),
  }),
  dsseEnvelope: v.strictObject({
    payload: base64,
    payloadType: v.string(),
    // More than one signature would leave open which of them counts; the format asks for one.
    signatures: v.pipe(v.array(v.strictObject({ sig: base64, keyid: v.optional(v.string()) })), v.length(1)),
  }),
});

/** A Sigstore bundle over a DSSE envelope, decoded; `signer` says how to find out who signed. */
export interface Bundle {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** Beside the signature; tools leave it out, leave it empty, or write the key's. */
  readonly keyid: string;
  readonly signer: { readonly kind: 'key'; readonly hint: string } | { readonly kind: 'certificate' };
  /** It brings entries of a log or timestamps. A signature by key rests on neither, so there nobody checks them. */
  readonly witnessed: boolean;
  /** The parsed JSON as it was, for the verifier of certificates. */
  readonly json: unknown;
}

/** The bytes of a bundle over this envelope, signed by the key that `keyid` names. */
export function bundleBytes(envelope: Envelope, keyid: string): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      mediaType: BUNDLE_MEDIA_TYPE,
      verificationMaterial: { publicKey: { hint: keyid } },
      dsseEnvelope: envelope,
    }),
    'utf8',
  );
}

/** @throws Failure `attestation-invalid`, with the place that is wrong */
export function parseBundle(bytes: Uint8Array): Bundle {
  if (bytes.length > BUNDLE_LIMIT) throw invalid(`is larger than ${BUNDLE_LIMIT} bytes`);
  let json: unknown;
  try {
    json = parseStrictJson(bytes, 'The bundle');
  } catch (cause) {
    throw invalid('is not strict JSON', cause);
  }
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) throw invalid(`is not one that we read: ${fault(parsed.issues)}`);
  const { publicKey, certificate, tlogEntries, timestampVerificationData } =
    parsed.output.verificationMaterial;
  if ((publicKey === undefined) === (certificate === undefined)) {
    throw invalid('names not exactly one of public key and certificate');
  }
  const { payload, payloadType, signatures } = parsed.output.dsseEnvelope;
  const { sig, keyid = '' } = signatures[0]!;
  return {
    payloadType,
    payload,
    signature: sig,
    keyid,
    signer: publicKey === undefined ? { kind: 'certificate' } : { kind: 'key', hint: publicKey.hint },
    witnessed: (tlogEntries ?? []).length > 0 || Object.keys(timestampVerificationData ?? {}).length > 0,
    json,
  };
}

function invalid(what: string, cause?: unknown): Failure {
  return new Failure('attestation-invalid', `The bundle ${what}.`, cause === undefined ? {} : { cause });
}
