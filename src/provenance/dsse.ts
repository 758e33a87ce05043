/** A DSSE envelope in its JSON form (https://github.com/secure-systems-lab/dsse/blob/master/envelope.md). */
export interface Envelope {
  /** base64 of the signed bytes. */
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly sig: string; readonly keyid?: string }[];
}

/**
 * DSSE's pre-authentication encoding: what is signed in place of the payload alone, so that neither its type nor
 * the border between the two can be shifted. Lengths count bytes.
 */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
}

/**
 * Decodes base64 that has exactly one spelling: standard alphabet, padded. `undefined` for anything else. Node's
 * own decoder skips what it does not know, so that two texts would be one signature and a changed bundle the same.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
