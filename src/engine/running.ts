import type Docker from 'dockerode';
import { parseReference, repositoryName } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import { engineStatus } from './dockerode-failure.ts';

/** A container or a service of a swarm that runs an image of one repository. */
export interface RunningThing {
  readonly kind: 'container' | 'service';
  readonly name: string;
  /** Digests under which its image is known in that repository; none for what was built here and never pushed. */
  readonly digests: readonly string[];
  /** The version that the image's labels state. */
  readonly version?: string;
}

/** Everything on this engine that runs an image of this repository (`host/name`): running containers, and services. */
export async function runningOf(
  docker: Docker,
  repository: string,
  signal: AbortSignal,
): Promise<RunningThing[]> {
  const containers = await docker.listContainers({ abortSignal: signal });
  const found: RunningThing[] = [];
  for (const { Id, Names, Labels } of containers) {
    // A task of a swarm is told with its service.
    if (Labels?.['com.docker.swarm.service.id'] !== undefined) continue;
    const thing = await containerOf(docker, Id, repository, signal);
    if (thing !== undefined) {
      found.push({ kind: 'container', name: (Names[0] ?? Id).replace(/^\//, ''), ...thing });
    }
  }
  return [...found, ...(await servicesOf(docker, repository))];
}

async function containerOf(
  docker: Docker,
  id: string,
  repository: string,
  signal: AbortSignal,
): Promise<Pick<RunningThing, 'digests' | 'version'> | undefined> {
  const container = await gone(() => docker.getContainer(id).inspect({ abortSignal: signal }));
  if (container === undefined) return undefined;
  const image = await gone(() => docker.getImage(container.Image).inspect());
  const digests = digestsIn(image?.RepoDigests ?? [], repository);
  const names = [container.Config.Image, ...(image?.RepoTags ?? [])];
  if (digests.length === 0 && !names.some((name) => repositoryIn(name) === repository)) return undefined;
  const labels = image?.Config?.Labels ?? {};
  const version = labels['dev.knowngood.version'] || labels['org.opencontainers.image.version'];
  return { digests, ...(version ? { version } : {}) };
}

async function servicesOf(docker: Docker, repository: string): Promise<RunningThing[]> {
  let services: Docker.Service[];
  try {
    services = (await docker.listServices()) as Docker.Service[];
  } catch (cause) {
    // The engine is no manager of a swarm (503, Docker), or knows no swarms at all (404, Podman).
    if ([404, 406, 503].includes(engineStatus(cause) ?? 0)) return [];
    throw cause;
  }
  return services.flatMap(({ Spec }): RunningThing[] => {
    const image = (Spec?.TaskTemplate as { ContainerSpec?: { Image?: string } } | undefined)?.ContainerSpec
      ?.Image;
    if (image === undefined || repositoryIn(image) !== repository) return [];
    return [{ kind: 'service', name: Spec?.Name ?? '', digests: digestsIn([image], repository) }];
  });
}

function digestsIn(references: readonly string[], repository: string): string[] {
  return references.flatMap((reference) => {
    const at = reference.indexOf('@');
    return at < 0 || repositoryIn(reference) !== repository ? [] : [reference.slice(at + 1)];
  });
}

function repositoryIn(reference: string): string | undefined {
  try {
    return repositoryName(parseReference(reference));
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** A container may end while it is looked at. */
async function gone<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (cause) {
    if (engineStatus(cause) === 404) return undefined;
    throw cause;
  }
}
