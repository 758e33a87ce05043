import { Failure } from '../outcome.ts';
import { type Digest, digestOf } from './digest.ts';
import type { Descriptor, ImageIndex, ImageManifest } from './manifest.ts';
import { type ManifestMediaType, ociIndex, ociManifest } from './media-types.ts';

/** A manifest that we made, ready to be pushed. */
export interface MadeManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: ManifestMediaType;
  readonly digest: Digest;
  /** What an index or a `subject` says about it. */
  readonly descriptor: Descriptor;
}

type Made<T> = Partial<Omit<T, 'kind'>>;

/**
 * The bytes of an image manifest. One content has one digest: compact JSON, keys in the format's own order, every
 * map sorted by key; layers keep their order, which is content. Docker's type takes neither annotations nor subject.
 */
export function makeImageManifest(
  image: Made<ImageManifest> & Pick<ImageManifest, 'config' | 'layers'>,
): MadeManifest {
  const mediaType = image.mediaType ?? ociManifest;
  return seal(mediaType, image, {
    schemaVersion: 2,
    mediaType,
    artifactType: image.artifactType,
    config: ordered(image.config),
    layers: image.layers.map(ordered),
    subject: image.subject && ordered(image.subject),
    annotations: sorted(image.annotations),
  });
}

/** The bytes of an index, by the same rules. Entries keep the given order. */
export function makeIndex(index: Made<ImageIndex> & Pick<ImageIndex, 'manifests'>): MadeManifest {
  const mediaType = index.mediaType ?? ociIndex;
  return seal(mediaType, index, {
    schemaVersion: 2,
    mediaType,
    artifactType: index.artifactType,
    manifests: index.manifests.map(ordered),
    subject: index.subject && ordered(index.subject),
    annotations: sorted(index.annotations),
  });
}

function seal(
  mediaType: ManifestMediaType,
  from: Made<ImageManifest | ImageIndex>,
  body: object,
): MadeManifest {
  const ociOnly = from.artifactType ?? from.subject ?? sorted(from.annotations);
  if (!mediaType.includes('.oci.') && ociOnly !== undefined) {
    throw new Failure(
      'internal-error',
      `A manifest of type ${mediaType} cannot have annotations or a subject.`,
    );
  }
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const digest = digestOf(bytes);
  return { bytes, mediaType, digest, descriptor: { mediaType, digest, size: bytes.length } };
}

function ordered(descriptor: Descriptor): object {
  const { mediaType, digest, size, annotations, platform, artifactType } = descriptor;
  return {
    mediaType,
    digest,
    size,
    annotations: sorted(annotations),
    platform: platform && {
      architecture: platform.architecture,
      os: platform.os,
      'os.version': platform.osVersion,
      variant: platform.variant,
    },
    artifactType,
  };
}

function sorted(map: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  const entries = Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
