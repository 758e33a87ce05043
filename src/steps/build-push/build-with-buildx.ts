import type { BuildxRequest } from '../../engine/buildx-plan.ts';
import type { Credential, Progress } from '../../engine/engine.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseReference } from '../../oci/reference.ts';
import type { StepInput } from '../step.ts';
import { buildRequest, knowsExclude, type LocalBuild, type PlatformBuild } from './build-images.ts';
import type { Wanted } from './wanted.ts';

/** Images in the engine, or one index that is in the registry already. */
export type BuildxBuilds = { readonly local: readonly LocalBuild[] } | { readonly pushed: Digest };

/**
 * Builds with `docker buildx`. Where its builder can make several platforms at once and the image is to be pushed,
 * one build does so and pushes; else each platform is loaded into the engine and goes the way of all others.
 */
export async function buildWithBuildx(
  input: StepInput,
  wanted: Wanted,
  builds: readonly PlatformBuild[],
  stage: { readonly tag: string; readonly push: boolean },
  onProgress: (progress: Progress) => void,
): Promise<BuildxBuilds> {
  const { tools, settings } = input;
  const buildx = await tools.buildx();
  const engine = await tools.engine();
  const { store } = await engine.info();
  const excludes = await knowsExclude(engine);
  const credentials = await credentialsFor(input, wanted);
  const requestFor = async (platforms: readonly string[], tag: string): Promise<BuildxRequest> => ({
    ...(await buildRequest(input, wanted, platforms[0], `${wanted.name}:${tag}`, {
      excludes,
      classic: false,
    })),
    platforms,
    annotations: wanted.annotations,
    cacheTo: settings.cacheTo,
    secrets: settings.secrets,
    ssh: settings.ssh,
    credentials,
  });
  const platforms = builds.flatMap(({ platform }) => platform ?? []);
  const together = stage.push && platforms.length > 1 && isPlain(wanted, platforms);
  if (together && (store === 'containerd' || (await buildx.driver()) !== 'docker')) {
    return { pushed: (await buildx.push(await requestFor(platforms, stage.tag), onProgress)).digest };
  }
  const local: LocalBuild[] = [];
  for (const { platform, tag } of builds) {
    const request = await requestFor(platform === undefined ? [] : [platform], tag);
    local.push({ tag, ...(await buildx.build(request, onProgress)) });
  }
  return { local };
}

/** Whether one Dockerfile with bases by digest does for all platforms. */
function isPlain({ recipe }: Wanted, platforms: readonly string[]): boolean {
  const [first, ...others] = platforms.map((platform) =>
    Buffer.from(recipe.pinned(platform)).toString('latin1'),
  );
  return others.every((other) => other === first);
}

/** Credentials for the hosts that the build reads from or writes to, each for its own. */
async function credentialsFor(
  { tools, settings }: StepInput,
  { image, recipe }: Wanted,
): Promise<ReadonlyMap<string, Credential>> {
  const caches = [...settings.cacheFrom, ...settings.cacheTo].flatMap(
    (text) => /(?:^|,)ref=([^,]+)/.exec(text)?.[1] ?? (/^[^,=]+$/.test(text) ? text : []),
  );
  const references = [
    image,
    ...recipe.images.map(({ reference }) => reference),
    ...caches.map(parseReference),
  ];
  const credentials = new Map<string, Credential>();
  for (const { registry } of references) {
    const credential = await tools.registryCredential(registry);
    if (credential) credentials.set(registry, credential);
  }
  return credentials;
}
