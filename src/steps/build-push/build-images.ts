import type { BuildRequest, Engine, Progress } from '../../engine/engine.ts';
import { formatReference, withDigest } from '../../oci/reference.ts';
import type { StepInput } from '../step.ts';
import type { Wanted } from './wanted.ts';

/** An image that the engine has now, under the tag it was built for. */
export interface LocalBuild {
  readonly tag: string;
  readonly imageId: string;
}

/** A build for one platform, or for the engine's own. */
export interface PlatformBuild {
  readonly platform?: string;
  readonly tag: string;
}

/** One image for each platform, tagged with `stage`, or `stage-<platform>` where there are several. */
export function platformBuilds(platforms: readonly string[], stage: string): readonly PlatformBuild[] {
  if (platforms.length === 0) return [{ tag: stage }];
  if (platforms.length === 1) return platforms.map((platform) => ({ platform, tag: stage }));
  return platforms.map((platform) => ({ platform, tag: `${stage}-${platform.replaceAll('/', '-')}` }));
}

/**
 * Builds with the engine, one platform after another. Every base is pulled by digest before: with the credential of
 * its host and of no other, so that the build itself needs none and gets none.
 */
export async function buildWithEngine(
  input: StepInput,
  wanted: Wanted,
  builds: readonly PlatformBuild[],
  onProgress: (progress: Progress) => void,
): Promise<readonly LocalBuild[]> {
  const engine = await input.tools.engine();
  const built: LocalBuild[] = [];
  for (const { platform, tag } of builds) {
    await pullBases(input, engine, wanted, platform, onProgress);
    const request = await buildRequest(input, wanted, platform, `${wanted.name}:${tag}`, {
      excludes: await knowsExclude(engine),
      classic: true,
    });
    const which = builds.length > 1 ? platform : undefined;
    const { imageId } = await engine.build(
      request,
      which === undefined ? onProgress : named(which, onProgress),
    );
    built.push({ tag, imageId });
  }
  return built;
}

/** `[linux/arm64 2/4] COPY …`, as BuildKit names the steps of several platforms that it builds at once. */
function named(platform: string, onProgress: (progress: Progress) => void): (progress: Progress) => void {
  return (progress) =>
    onProgress({ ...progress, step: progress.step.replace(/^\[(?!internal\])/, `[${platform} `) });
}

async function pullBases(
  { tools }: StepInput,
  engine: Engine,
  { recipe }: Wanted,
  platform: string | undefined,
  onProgress: (progress: Progress) => void,
): Promise<void> {
  const { platform: own } = await engine.info();
  for (const { reference, digest } of recipe.images) {
    if (digest === undefined) continue;
    const name = formatReference(withDigest(reference, digest));
    const local = await engine.image(name);
    if (local && local.platform === (platform ?? own)) continue;
    await engine.pull(name, await tools.registryCredential(reference.registry), onProgress, platform);
  }
}

/** What both builders are given for one platform, or for all of `platforms` together. */
export async function buildRequest(
  { tools, settings, candidate, runContext, log }: StepInput,
  wanted: Wanted,
  platform: string | undefined,
  tag: string,
  builder: { readonly excludes: boolean; readonly classic: boolean },
): Promise<BuildRequest> {
  const recipes = await tools.recipes();
  const { context, tree, recipe, labels } = wanted;
  const { path, ignored } = context.dockerfile;
  const pinned = recipe.pinned(platform);
  const hiding = ignored ? recipes.hideDockerfile(pinned, path) : undefined;
  const replaced = new Map<string, Uint8Array>([[path, pinned]]);
  let hideDockerfile = false;
  if (hiding?.needed) {
    if (hiding.excluded && builder.excludes) replaced.set(path, hiding.excluded);
    else hideDockerfile = builder.classic && !hiding.buildKitOnly;
  }
  if (hideDockerfile) {
    const rules = recipes.rulesThatHide(tree, context);
    if (rules !== undefined) replaced.set('.dockerignore', rules);
  }
  const epoch = Math.floor(Date.parse(candidate.committedAt) / 1000);
  return {
    context: () => recipes.packContext(tree, { epoch, replaced }),
    dockerfile: path,
    tag,
    ...(platform === undefined ? {} : { platform }),
    ...(settings.target === undefined ? {} : { target: settings.target }),
    buildArgs: settings.buildArgs,
    buildKitArgs: {
      // Times inside the image's config become the commit's.
      SOURCE_DATE_EPOCH: String(epoch),
      // Cache mounts are the one part of a builder's cache that a build can write freely: one for each trust level.
      BUILDKIT_CACHE_MOUNT_NS: `knowngood-${runContext}`,
    },
    labels,
    noCache: settings.noCache,
    // Bases are named by digest and were pulled: asking the registry again would need a credential in the build.
    pull: false,
    // What others can write is no input of a release.
    cacheFrom: runContext === 'release' ? [] : settings.cacheFrom,
    locate: recipes.locateInstruction(recipe.dockerfile),
    redact: log.redact,
    hideDockerfile,
  };
}

/** `COPY --exclude` came with BuildKit 0.25, which is in Docker 28.5. */
export async function knowsExclude(engine: Engine): Promise<boolean> {
  const { kind, version } = await engine.info();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return kind === 'docker' && (major > 28 || (major === 28 && minor >= 5));
}
