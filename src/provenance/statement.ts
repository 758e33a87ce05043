import type { Digest } from '../oci/digest.ts';

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** What DSSE signs beside the bytes, so that a signature over one kind of text is none over another. */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** The kinds of statement that we write. docs/provenance.md says what each claims. */
export const predicateTypes = {
  /** How it was built: SLSA provenance v1. */
  provenance: 'https://slsa.dev/provenance/v1',
  /** From which recipe it was made, as which version: ours. */
  recipe: 'https://knowngood.dev/predicate/recipe/v1',
  /** That a change was tested, and with which verdict. */
  testResult: 'https://in-toto.io/attestation/test-result/v0.1',
} as const;

/** Something named by what it hashes to; the fields that we use of in-toto's ResourceDescriptor. */
export interface ResourceDescriptor {
  readonly name?: string;
  readonly uri?: string;
  readonly digest?: Readonly<Record<string, string>>;
  readonly mediaType?: string;
  /** In base64. */
  readonly content?: string;
}

export interface StatementSubject {
  /** Image without tag. Verifiers match by digest only. */
  readonly name: string;
  /** Hex without prefix, as in-toto's DigestSet wants it. */
  readonly digest: { readonly sha256: string };
}

export interface Statement<P = unknown> {
  readonly _type: typeof STATEMENT_TYPE;
  readonly subject: readonly StatementSubject[];
  readonly predicateType: string;
  readonly predicate: P;
}

/**
 * One statement over all these manifests of one image: the index and each platform, because consumers look at
 * either. Order is as given, doubles are dropped.
 */
export function statementAbout<P>(
  image: string,
  digests: readonly Digest[],
  predicateType: string,
  predicate: P,
): Statement<P> {
  return {
    _type: STATEMENT_TYPE,
    subject: [...new Set(digests)].map((digest) => ({ name: image, digest: { sha256: hexOf(digest) } })),
    predicateType,
    predicate,
  };
}

/** The bytes that are signed and written: compact JSON, keys in the order of the specifications. */
export function statementBytes(statement: Statement): Uint8Array {
  return Buffer.from(JSON.stringify(statement), 'utf8');
}

export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
