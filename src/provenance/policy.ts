/**
 * Whom a verifier believes, and what must be said. Every string is compared exactly: a policy that is a pattern
 * or a part of a name proves nothing, and is refused when it is read (`policy-invalid`).
 */
export interface Policy {
  /** Signing keys, each with the one builder that it may speak for. */
  readonly keys: readonly PolicyKey[];
  /** Keyless signers: certificate subject and issuer, each with the one builder that they may speak for. */
  readonly identities: readonly PolicyIdentity[];
  /** Page of the source repository: `https://github.com/acme/hedgedoc`, without `.git`. */
  readonly repository: string;
  /** Predicate types of which each must be there, signed by one of the above. */
  readonly predicates: readonly string[];
}

export interface PolicyKey {
  /** base64 of the sha256 of the public key's SPKI, as cosign writes it. */
  readonly keyid: string;
  /** `runDetails.builder.id`, with or without the `@<ref>` that GitHub puts behind it. */
  readonly builder: string;
  /** The public key (PEM). Where it is left out, the key is taken from beside the bundle if it hashes to `keyid`. */
  readonly key?: string;
}

export interface PolicyIdentity {
  /** The certificate's subject alternative name, with or without the `@<ref>` that GitHub puts behind it. */
  readonly san: string;
  readonly issuer: string;
  readonly builder: string;
}
