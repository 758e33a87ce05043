import { Failure } from '../outcome.ts';
import type { Digest } from './digest.ts';
import { type MadeManifest, makeIndex } from './manifest-bytes.ts';
import { isImageMediaType } from './media-types.ts';
import { comparePlatforms, parsePlatform } from './platform.ts';

/** One image of an index to be. */
export interface IndexPart {
  /** `linux/arm64`. */
  readonly platform: string;
  readonly manifest: { readonly digest: Digest; readonly mediaType: string; readonly bytes: Uint8Array };
}

/**
 * One OCI index over images of different platforms, in the order of platforms, so that the same images give one
 * digest. Two images of one platform are refused: pullers would take either.
 */
export function joinIndex(
  parts: readonly IndexPart[],
  annotations: Readonly<Record<string, string>>,
): MadeManifest {
  const manifests = parts
    .map(({ platform, manifest }) => ({
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.bytes.length,
      platform: parsePlatform(platform),
    }))
    .sort((a, b) => comparePlatforms(a.platform, b.platform));
  for (const [index, { mediaType, platform }] of manifests.entries()) {
    const next = manifests[index + 1];
    if (!isImageMediaType(mediaType) || (next && comparePlatforms(platform, next.platform) === 0)) {
      throw new Failure('manifest-invalid', 'The images of an index must be images of different platforms.');
    }
  }
  return makeIndex({ manifests, annotations });
}
