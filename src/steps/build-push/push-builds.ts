import type { Progress } from '../../engine/engine.ts';
import type { Digest } from '../../oci/digest.ts';
import { joinIndex } from '../../oci/join-index.ts';
import { type Reference, repositoryName, withDigest, withTag } from '../../oci/reference.ts';
import { Failure } from '../../outcome.ts';
import type { ImageContents, Registry } from '../../registry/registry.ts';
import type { StepInput } from '../step.ts';
import type { LocalBuild } from './build-images.ts';
import { readBack } from './put.ts';
import type { Wanted } from './wanted.ts';

/**
 * Pushes what the engine has built and answers what the registry then shows under the stage tag. Several platforms
 * are pushed each under a tag of its own and joined into one index, so that a push that is killed leaves no stage tag
 * at half an image.
 */
export async function pushBuilds(
  input: StepInput,
  wanted: Wanted,
  builds: readonly LocalBuild[],
  stage: string,
  onProgress: (progress: Progress) => void,
): Promise<ImageContents> {
  const { image, annotations } = wanted;
  const registry = await input.tools.registry();
  const pushed: ImageContents[] = [];
  for (const build of builds) pushed.push(await pushBuild(input, registry, wanted, build, onProgress));
  const [only] = pushed;
  if (only && builds.length === 1) return only;
  const parts = pushed.flatMap(({ platforms }) => platforms);
  const index = joinIndex(parts, annotations);
  await registry.putManifest(withTag(image, stage), index);
  await readBack(input, image, index.digest, stage);
  return contentsOf(registry, image, index.digest);
}

async function pushBuild(
  input: StepInput,
  registry: Registry,
  { image, labels }: Wanted,
  { tag, imageId }: LocalBuild,
  onProgress: (progress: Progress) => void,
): Promise<ImageContents> {
  const { tools } = input;
  const engine = await tools.engine();
  const reference = withTag(image, tag);
  const { digest } = await engine.push(
    repositoryName(image),
    tag,
    await tools.registryCredential(image.registry),
    onProgress,
    {
      readTag: async () => (await registry.head(reference))?.digest,
      isOurs: async (found) => isImage(await contentsOf(registry, image, found), imageId),
    },
  );
  await readBack(input, image, digest, tag);
  const contents = await contentsOf(registry, image, digest);
  // Another build on the same engine may have taken the tag between our build and our push.
  if (!isImage(contents, imageId)) {
    throw new Failure(
      'engine-failed',
      `The engine pushed ${digest} as ${tag}, which is not the image that was built.`,
      {
        remedy: 'Run builds of one commit one after another, or on engines of their own.',
      },
    );
  }
  requireLabels(contents, labels);
  return contents;
}

/** An engine's id is the digest of the config or of the manifest, by its store: what was pushed must have one of them. */
function isImage({ manifest, platforms }: ImageContents, imageId: string): boolean {
  const digests = [manifest.digest, ...platforms.flatMap((one) => [one.config.digest, one.manifest.digest])];
  const id = imageId.startsWith('sha256:') ? imageId : `sha256:${imageId}`;
  return digests.some((digest) => digest.startsWith(id));
}

/** Podman has been seen to take the labels of an earlier build from its cache. */
function requireLabels({ platforms }: ImageContents, wanted: Readonly<Record<string, string>>): void {
  for (const { platform, labels } of platforms) {
    const missing = Object.entries(wanted).find(([key, value]) => labels[key] !== value);
    if (missing) {
      throw new Failure(
        'engine-failed',
        `The engine built ${platform} without the label ${missing[0]} that it was given.`,
        {
          remedy: 'Set `no-cache: true`, or update the engine.',
        },
      );
    }
  }
}

export async function contentsOf(
  registry: Registry,
  image: Reference,
  digest: Digest,
): Promise<ImageContents> {
  const contents = await registry.contents(withDigest(image, digest));
  if (!contents)
    throw new Failure(
      'readback-timeout',
      `${image.registry} does not show ${digest}, which was pushed to it.`,
    );
  return contents;
}
