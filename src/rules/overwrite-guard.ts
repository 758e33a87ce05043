import type { Digest } from '../oci/digest.ts';
import { differingPlatforms, type PlatformContent, sameContent } from '../oci/same-content.ts';
import type { Failure } from '../outcome.ts';

/** An image as far as its content goes: attestation children are left out of `platforms`. */
export interface GuardedContent {
  readonly digest: Digest;
  readonly platforms: readonly PlatformContent[];
}

/** What a look at a tag found: an image, nothing (a 404 and only that), or no answer. */
export type Looked =
  | { readonly found: GuardedContent }
  | { readonly absent: true }
  | { readonly failed: Failure };

export type GuardVerdict =
  | { readonly verdict: 'free' }
  /** The tag has this content already; `digest` is adopted instead of the candidate's own. */
  | { readonly verdict: 'same'; readonly digest: Digest }
  | { readonly verdict: 'conflict'; readonly found: Digest; readonly platforms: readonly string[] }
  | { readonly verdict: 'cannot-determine'; readonly failure: Failure };

/**
 * Whether a released tag may be put. Content decides, not the digest: the same image gets another digest from
 * another builder or by an added attestation. Whatever is not a plain 404 or a readable image fails closed.
 */
export function guardTag(looked: Looked, candidate: GuardedContent): GuardVerdict {
  if ('failed' in looked) return { verdict: 'cannot-determine', failure: looked.failed };
  if ('absent' in looked) return { verdict: 'free' };
  const { found } = looked;
  if (found.digest === candidate.digest || sameContent(found.platforms, candidate.platforms)) {
    return { verdict: 'same', digest: found.digest };
  }
  return {
    verdict: 'conflict',
    found: found.digest,
    platforms: differingPlatforms(found.platforms, candidate.platforms),
  };
}
