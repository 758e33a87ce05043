import type { CanonicalRecord } from '../ledger/record.ts';
import type { Digest } from '../oci/digest.ts';
import { tagOfVersion } from '../oci/tag.ts';

/** One tag of an own image, and where it goes. */
export interface TagMove {
  /** `registry/repository`. */
  readonly image: string;
  readonly tag: string;
  /** Where the snapshot found it; null: nowhere. */
  readonly from: Digest | null;
  readonly to: Digest;
}

/** Everything that a promotion or a rollback is going to write. */
export interface PromotionPlan {
  readonly recipe: string;
  readonly version: string;
  /** The image's digest; of a compose subject the digest of its list of images. */
  readonly digest: Digest;
  /** In the order of `orderedMoves`. */
  readonly moves: readonly TagMove[];
  /** The record to be written; `undefined` where only the canonical's tags are put right. */
  readonly record?: CanonicalRecord;
  /** What it was decided on, for a run that has to finish it. A JSON value. */
  readonly evidence?: unknown;
  readonly run: string;
}

/** Whether this is the tag of exactly this version, which never moves once it is there. */
export function isExact(tag: string, version: string): boolean {
  try {
    return tagOfVersion(version) === tag;
  } catch {
    return false;
  }
}

/**
 * The exact version first: once it is there a run that finds our intent knows that the floating tags may follow.
 * `latest` last: it is what most people pull.
 */
export function orderedMoves(moves: readonly TagMove[], version: string): readonly TagMove[] {
  const rank = ({ tag }: TagMove): number => (isExact(tag, version) ? 0 : tag === 'latest' ? 2 : 1);
  return [...moves].sort((a, b) => rank(a) - rank(b));
}

/** The digest of this own image in a record's subject. */
export function digestIn(
  subject:
    | { readonly kind: 'image'; readonly image: string; readonly digest: Digest }
    | { readonly kind: 'compose'; readonly images: Readonly<Record<string, string>> },
  image: string,
): Digest | undefined {
  if (subject.kind === 'image') return subject.image === image ? subject.digest : undefined;
  const reference = Object.values(subject.images).find((name) => name.startsWith(`${image}@sha256:`));
  return reference === undefined ? undefined : (reference.slice(image.length + 1) as Digest);
}
