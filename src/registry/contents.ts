import { parseImageConfig } from '../oci/image-config.ts';
import { type Descriptor, type ImageManifest, imageChildren, parseManifest } from '../oci/manifest.ts';
import { isImageConfig } from '../oci/media-types.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';
import { formatReference, type Reference, withDigest } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import { getBlob } from './blobs.ts';
import { getManifest } from './manifests.ts';
import type { ImageContents, PlatformImage, RawManifest } from './registry.ts';
import type { Session } from './session.ts';

/** Real indexes have a few dozen entries; each costs two requests. */
const MOST_PLATFORMS = 128;

/** What an image consists of: its manifest, or that of every platform of its index, each with its config. */
export async function imageContents(
  session: Session,
  reference: Reference,
): Promise<ImageContents | undefined> {
  const manifest = await getManifest(session, reference);
  if (manifest === undefined) return undefined;
  const parsed = parseManifest(manifest.bytes, manifest.mediaType);
  if (parsed.kind === 'image') {
    return { manifest, platforms: [await platformImage(session, reference, manifest, parsed, undefined)] };
  }
  const children = imageChildren(parsed);
  if (children.length > MOST_PLATFORMS) throw invalid(reference, `has more than ${MOST_PLATFORMS} platforms`);
  const platforms = await Promise.all(children.map((child) => childImage(session, reference, child)));
  return { manifest, platforms };
}

async function childImage(session: Session, reference: Reference, child: Descriptor): Promise<PlatformImage> {
  const manifest = await getManifest(session, withDigest(reference, child.digest));
  if (manifest === undefined) throw invalid(reference, `names ${child.digest}, which is not there`);
  if (manifest.mediaType !== child.mediaType || manifest.bytes.length !== child.size) {
    throw invalid(reference, `describes ${child.digest} otherwise than it is`);
  }
  const parsed = parseManifest(manifest.bytes, manifest.mediaType);
  if (parsed.kind !== 'image') throw invalid(reference, 'has an index below its index');
  return platformImage(session, reference, manifest, parsed, child.platform);
}

async function platformImage(
  session: Session,
  reference: Reference,
  manifest: RawManifest,
  { config, layers }: ImageManifest,
  stated: Platform | undefined,
): Promise<PlatformImage> {
  const bytes = await getBlob(session, reference, config.digest);
  if (bytes === undefined) throw invalid(reference, `names the config ${config.digest}, which is not there`);
  // Charts, signatures and the like come in the same form and have no platform and no labels.
  const read = isImageConfig(config.mediaType)
    ? parseImageConfig(bytes)
    : { platform: undefined, labels: {} };
  const platform = stated ?? read.platform ?? { os: 'unknown', architecture: 'unknown' };
  return {
    platform: formatPlatform(platform),
    manifest,
    config: { digest: config.digest, bytes },
    labels: read.labels,
    layers: layers.map((layer) => layer.digest),
  };
}

function invalid(reference: Reference, what: string): Failure {
  return new Failure('manifest-invalid', `${formatReference(reference)} ${what}.`);
}
