import type { Clock } from '../http/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { type Descriptor, type ImageIndex, parseManifest } from '../oci/manifest.ts';
import { type MadeManifest, makeIndex } from '../oci/manifest-bytes.ts';
import { ociIndex } from '../oci/media-types.ts';
import { type Reference, withDigest, withTag } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import type { Registry } from '../registry/registry.ts';
import { fallbackTag } from './referrer-manifest.ts';

/** The list of referrers that the fallback tag holds; entries in the order of their digests. */
export type FallbackList = Pick<ImageIndex, 'manifests' | 'annotations'>;

/** While a tag is being written, distribution answers 404 for moments: a list is absent only if it stays so. */
const REREADS_MS = [25, 50, 100, 200];

/**
 * Reads the list at the fallback tag, `undefined` where there is none. Without a clock it believes the first 404:
 * right for a reader, for whom a list that is just being written is not there yet; a writer would wipe it.
 */
export async function readFallbackList(
  registry: Registry,
  image: Reference,
  subject: Digest,
  clock: Clock | undefined,
): Promise<FallbackList | undefined> {
  for (const wait of [0, ...(clock === undefined ? [] : REREADS_MS)]) {
    if (wait > 0) await clock?.sleep(wait);
    // Asked for by tag each time, never from memory; the bytes by digest, so that both are of one moment.
    const head = await registry.head(withTag(image, fallbackTag(subject)));
    const raw = head && (await registry.manifest(withDigest(image, head.digest)));
    if (raw === undefined) continue;
    const list = parseManifest(raw.bytes, raw.mediaType, { listing: true });
    if (list.kind !== 'index') {
      throw new Failure('manifest-invalid', `The tag ${fallbackTag(subject)} is not a list of referrers.`);
    }
    return list;
  }
  return undefined;
}

/** The list with these entries added; those that are there already are left as they are. */
export function withEntries(list: FallbackList | undefined, entries: readonly Descriptor[]): FallbackList {
  const byDigest = new Map<Digest, Descriptor>();
  for (const entry of [...entries, ...(list?.manifests ?? [])]) byDigest.set(entry.digest, entry);
  return {
    annotations: list?.annotations ?? {},
    manifests: [...byDigest.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1)),
  };
}

export function withoutEntries(list: FallbackList, gone: ReadonlySet<Digest>): FallbackList {
  return { ...list, manifests: list.manifests.filter((entry) => !gone.has(entry.digest)) };
}

export function listBytes(list: FallbackList): MadeManifest {
  return makeIndex({ mediaType: ociIndex, ...list });
}
