import type { Digest } from '../oci/digest.ts';
import { type Descriptor, type ImageManifest, parseManifest } from '../oci/manifest.ts';
import { type Reference, withDigest } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import type { Registry } from '../registry/registry.ts';
import { BUNDLE_LIMIT, BUNDLE_MEDIA_TYPE_FAMILY } from './bundle.ts';
import { KEY_ANNOTATION } from './referrer-manifest.ts';
import { listReferrers } from './referrers.ts';

/** At most so many referrers are opened, or a full list would be a way to keep a verifier busy. */
export const MOST_BUNDLES = 64;

/** A referrer of our subject: its bundle, or what is wrong with it. */
export type Found = { readonly referrer: Digest } & (
  | { readonly kind: 'bundle'; readonly bytes: Uint8Array; readonly spki?: string }
  | { readonly kind: 'gone'; readonly what: string }
  | { readonly kind: 'broken'; readonly what: string }
);

export interface FoundBundles {
  readonly found: readonly Found[];
  /** Referrers that may hold a bundle and were not opened, because there were more than `MOST_BUNDLES`. */
  readonly unopened: number;
}

/**
 * The bundles that hang on this manifest. Annotations and types in lists are what anybody wrote there, and older
 * tools wrote them wrongly, so they decide the order in which referrers are opened and nothing else: those that
 * bear the public key of a policy first, what is certainly something else not at all.
 *
 * @param keyids  key ids that the policy names, for that order
 */
export async function findBundles(
  registry: Registry,
  image: Reference,
  subject: Digest,
  isPolicyKey: (spki: string) => boolean,
): Promise<FoundBundles> {
  const listed = (await listReferrers(registry, image, subject)).filter(mayHoldBundle);
  const promising = (entry: Descriptor): number => {
    const spki = entry.annotations?.[KEY_ANNOTATION];
    return spki !== undefined && isPolicyKey(spki) ? 0 : 1;
  };
  const ordered = [...listed].sort((a, b) => promising(a) - promising(b) || (a.digest < b.digest ? -1 : 1));
  const found = await Promise.all(
    ordered.slice(0, MOST_BUNDLES).map((entry) => open(registry, image, subject, entry.digest)),
  );
  return {
    found: found.filter((item) => item !== undefined),
    unopened: Math.max(0, ordered.length - MOST_BUNDLES),
  };
}

/** Some tools list the config's type, the empty type, or nothing at all: those are opened to find out. */
function mayHoldBundle({ artifactType }: Descriptor): boolean {
  return (
    artifactType === undefined ||
    artifactType === '' ||
    artifactType.startsWith(BUNDLE_MEDIA_TYPE_FAMILY) ||
    artifactType.startsWith('application/vnd.oci.')
  );
}

async function open(
  registry: Registry,
  image: Reference,
  subject: Digest,
  referrer: Digest,
): Promise<Found | undefined> {
  const raw = await contradicted(registry.manifest(withDigest(image, referrer)));
  if (raw === undefined)
    return { kind: 'gone', referrer, what: 'it is listed, and its manifest is not there' };
  if ('what' in raw) return { kind: 'broken', referrer, what: raw.what };
  let manifest: ImageManifest;
  try {
    const parsed = parseManifest(raw.bytes, raw.mediaType);
    if (parsed.kind !== 'image') return undefined;
    manifest = parsed;
  } catch (error) {
    return { kind: 'broken', referrer, what: asMessage(error) };
  }
  const layer = manifest.layers.find(({ mediaType }) => mediaType.startsWith(BUNDLE_MEDIA_TYPE_FAMILY));
  if (layer === undefined) {
    // Listed or typed as a bundle and none in it: that is damage. Anything else is another kind of artifact.
    return manifest.artifactType?.startsWith(BUNDLE_MEDIA_TYPE_FAMILY)
      ? { kind: 'broken', referrer, what: 'its manifest says that it is a bundle and has none' }
      : undefined;
  }
  if (manifest.subject?.digest !== subject) {
    return { kind: 'broken', referrer, what: 'its manifest names another subject' };
  }
  if (layer.size > BUNDLE_LIMIT) return { kind: 'broken', referrer, what: 'its bundle is too large' };
  const blob = await contradicted(registry.blob(image, layer.digest, BUNDLE_LIMIT));
  if (blob === undefined) return { kind: 'gone', referrer, what: 'its bundle is not there' };
  if ('what' in blob) return { kind: 'broken', referrer, what: blob.what };
  const spki = manifest.annotations[KEY_ANNOTATION];
  return { kind: 'bundle', referrer, bytes: blob, ...(spki === undefined ? {} : { spki }) };
}

/** Bytes that do not hash to their digest are a contradiction, not an outage: the registry port tells them apart. */
async function contradicted<T>(answer: Promise<T>): Promise<T | { what: string }> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Failure && error.code === 'manifest-invalid') return { what: error.message };
    throw error;
  }
}

function asMessage(error: unknown): string {
  if (error instanceof Failure) return error.message;
  throw error;
}
