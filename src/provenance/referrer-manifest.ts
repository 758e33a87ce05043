import { type Digest, digestOf } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { type MadeManifest, makeImageManifest } from '../oci/manifest-bytes.ts';
import { BUNDLE_MEDIA_TYPE } from './bundle.ts';

/** The content of configs that say nothing (image-spec, "Guidance for an empty descriptor"). */
export const emptyConfig = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  bytes: Buffer.from('{}'),
  digest: digestOf('{}'),
};

/** The name under which `oras pull` writes the bundle; it skips what has none. */
const FILE_NAME = 'attestation.sigstore.json';

/** What cosign's specs/BUNDLE_SPEC.md lets a list of referrers say of a bundle. */
export const CONTENT_ANNOTATION = 'dev.sigstore.bundle.content';
export const PREDICATE_ANNOTATION = 'dev.sigstore.bundle.predicateType';

/**
 * The public key beside the bundle, base64 of its SPKI. A hint that anybody may write: it counts only if it hashes
 * to a key id that a policy names, so that a policy needs no key material of its own.
 */
export const KEY_ANNOTATION = 'dev.knowngood.signing-key';

export interface AttachedBundle {
  readonly bytes: Uint8Array;
  readonly predicateType: string;
  /** base64 of the signing key's SPKI. */
  readonly spki?: string;
}

/**
 * The manifest by which a bundle hangs on an image (cosign's specs/BUNDLE_SPEC.md). It holds no time of day: the
 * same bundle on the same subject is the same manifest, so that attaching twice attaches once.
 */
export function referrerManifest(bundle: AttachedBundle, subject: Descriptor): MadeManifest {
  return makeImageManifest({
    artifactType: BUNDLE_MEDIA_TYPE,
    config: {
      mediaType: emptyConfig.mediaType,
      digest: emptyConfig.digest,
      size: emptyConfig.bytes.length,
    },
    layers: [
      {
        mediaType: BUNDLE_MEDIA_TYPE,
        digest: digestOf(bundle.bytes),
        size: bundle.bytes.length,
        annotations: { 'org.opencontainers.image.title': FILE_NAME },
      },
    ],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations: annotationsOf(bundle),
  });
}

/** What a list of referrers says about such a manifest: type and all annotations, as the distribution spec asks. */
export function listEntry(made: MadeManifest, bundle: AttachedBundle): Descriptor {
  return {
    ...made.descriptor,
    artifactType: BUNDLE_MEDIA_TYPE,
    annotations: annotationsOf(bundle),
  };
}

function annotationsOf({ predicateType, spki }: AttachedBundle): Record<string, string> {
  return {
    [CONTENT_ANNOTATION]: 'dsse-envelope',
    [PREDICATE_ANNOTATION]: predicateType,
    ...(spki === undefined ? {} : { [KEY_ANNOTATION]: spki }),
  };
}

/** The tag that stands in for the referrers API where there is none (distribution spec, "Referrers Tag Schema"). */
export function fallbackTag(subject: Digest): string {
  return subject.replace(':', '-');
}
