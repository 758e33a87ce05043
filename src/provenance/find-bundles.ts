import type { Digest } from '../oci/digest.ts';
import { type Descriptor, type ImageManifest, parseManifest } from '../oci/manifest.ts';
import { type Reference, withDigest } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import type { Registry } from '../registry/registry.ts';
import { BUNDLE_LIMIT, BUNDLE_MEDIA_TYPE, BUNDLE_MEDIA_TYPE_FAMILY } from './bundle.ts';
import { clause } from './fault.ts';
import {
  CONTENT_ANNOTATION,
  emptyConfig,
  KEY_ANNOTATION,
  PREDICATE_ANNOTATION,
} from './referrer-manifest.ts';
import { listReferrers } from './referrers.ts';

/** At most so many referrers are opened, or a full list would be a way to keep a verifier busy. */
export const MOST_BUNDLES = 64;

/** A referrer of our subject: its bundle, or what is wrong with it. */
export type Found = { readonly referrer: Digest } & (
  | FoundBundle
  | { readonly kind: 'gone'; readonly what: string }
  | { readonly kind: 'broken'; readonly what: string }
);

interface FoundBundle {
  readonly kind: 'bundle';
  readonly bytes: Uint8Array;
  /** The public key beside it (base64), and the predicate type that the manifest says: hints of anybody. */
  readonly spki?: string;
  readonly predicateType?: string;
  /** What the manifest around it says otherwise than manifests of bundles do. Nothing rests on it. */
  readonly oddities: readonly string[];
}

export interface FoundBundles {
  readonly found: readonly Found[];
  /** Referrers that may hold a bundle and were not opened, because there were more than `MOST_BUNDLES`. */
  readonly unopened: number;
  /** Referrers that are listed as something else than a bundle, and were not opened. */
  readonly others: number;
}

/**
 * The bundles that hang on this manifest. Annotations and types in lists are what anybody wrote there, and older
 * tools wrote them wrongly, so they decide the order in which referrers are opened and nothing else: those that
 * bear the public key of a policy first, what is certainly something else not at all.
 *
 * @param isPolicyKey  whether a public key (base64 of its SPKI) is one of the policy's, for that order
 */
export async function findBundles(
  registry: Registry,
  image: Reference,
  subject: Digest,
  isPolicyKey: (spki: string) => boolean,
): Promise<FoundBundles> {
  const all = await listReferrers(registry, image, subject);
  const listed = all.filter(mayHoldBundle);
  const promising = (entry: Descriptor): boolean => isPolicyKey(entry.annotations?.[KEY_ANNOTATION] ?? '');
  const ordered = [...listed.filter(promising), ...listed.filter((entry) => !promising(entry))];
  const found = await Promise.all(
    ordered.slice(0, MOST_BUNDLES).map((entry) => open(registry, image, subject, entry.digest)),
  );
  return {
    found: found.filter((item) => item !== undefined),
    unopened: Math.max(0, ordered.length - MOST_BUNDLES),
    others: all.length - listed.length,
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
    if (!(error instanceof Failure)) throw error;
    return { kind: 'broken', referrer, what: clause(error) };
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
  if (manifest.layers.length > 1) {
    return { kind: 'broken', referrer, what: 'its manifest has more than the bundle in it' };
  }
  if (layer.mediaType !== BUNDLE_MEDIA_TYPE) {
    return {
      kind: 'broken',
      referrer,
      what: `its bundle is of a type that we do not read, ${layer.mediaType}`,
    };
  }
  if (layer.size > BUNDLE_LIMIT) return { kind: 'broken', referrer, what: 'its bundle is too large' };
  const blob = await contradicted(registry.blob(image, layer.digest, BUNDLE_LIMIT));
  if (blob === undefined) return { kind: 'gone', referrer, what: 'its bundle is not there' };
  if ('what' in blob) return { kind: 'broken', referrer, what: blob.what };
  if (blob.length !== layer.size) {
    return { kind: 'broken', referrer, what: 'its bundle is not as long as its manifest says' };
  }
  const { [KEY_ANNOTATION]: spki, [PREDICATE_ANNOTATION]: predicateType } = manifest.annotations;
  return {
    kind: 'bundle',
    referrer,
    bytes: blob,
    oddities: odditiesOf(manifest),
    ...(spki === undefined ? {} : { spki }),
    ...(predicateType === undefined ? {} : { predicateType }),
  };
}

/** Other tools have written each of these otherwise, so they decide nothing; that they differ is told. */
function odditiesOf({ artifactType, config, annotations }: ImageManifest): string[] {
  const content = annotations[CONTENT_ANNOTATION];
  return [
    ...(artifactType === BUNDLE_MEDIA_TYPE ? [] : ['its manifest does not say that it is a bundle']),
    ...(config.digest === emptyConfig.digest && config.mediaType === emptyConfig.mediaType
      ? []
      : ['its manifest has a config of its own']),
    ...(content === undefined || content === 'dsse-envelope'
      ? []
      : ['its manifest says that it is no statement']),
  ];
}

/** Bytes that do not hash to their digest are a contradiction, not an outage: the registry port tells them apart. */
async function contradicted<T>(answer: Promise<T>): Promise<T | { what: string }> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Failure && error.code === 'manifest-invalid') return { what: clause(error) };
    throw error;
  }
}
