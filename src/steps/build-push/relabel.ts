import { digestOf } from '../../oci/digest.ts';
import { joinIndex } from '../../oci/join-index.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { withDigest, withTag } from '../../oci/reference.ts';
import { relabelledConfig, relabelledManifest } from '../../oci/relabel.ts';
import { Failure } from '../../outcome.ts';
import type { ImageContents, PlatformImage, RawManifest } from '../../registry/registry.ts';
import type { StepInput } from '../step.ts';
import { contentsOf } from './push-builds.ts';
import { readBack } from './put.ts';
import type { Wanted } from './wanted.ts';

/**
 * A new release over the layers of an earlier one: a new config and manifest for each platform, no engine, no layer
 * moved. The digest is new, and is tested like any other. Attestations of the old image are not taken along: they are
 * about other bytes.
 */
export async function relabel(
  input: StepInput,
  wanted: Wanted,
  source: ImageContents,
  stage: string,
): Promise<ImageContents> {
  const registry = await input.tools.registry();
  const { image, annotations } = wanted;
  const made = source.platforms.map((platform) => relabelled(platform, wanted));
  for (const { config } of made) await registry.putBlob(image, digestOf(config), config);
  const [only] = made;
  const single = only && made.length === 1 && source.manifest.digest === source.platforms[0]?.manifest.digest;
  if (!single) {
    for (const { manifest } of made) await registry.putManifest(withDigest(image, manifest.digest), manifest);
  }
  const top: RawManifest = single ? only.manifest : joinIndex(made, annotations);
  await registry.putManifest(withTag(image, stage), top);
  await readBack(input, image, top.digest, stage);
  return contentsOf(registry, image, top.digest);
}

function relabelled({ platform, manifest, config }: PlatformImage, { labels, created }: Wanted) {
  const parsed = parseManifest(manifest.bytes, manifest.mediaType);
  if (parsed.kind !== 'image') throw new Failure('manifest-invalid', 'A platform of an image is an index.');
  const bytes = relabelledConfig(config.bytes, labels, created);
  return { platform, config: bytes, manifest: relabelledManifest(parsed, bytes) };
}
