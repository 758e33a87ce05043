import type Docker from 'dockerode';
import { formatPlatform, normalisePlatform } from '../oci/platform.ts';
import type { EngineEnvironment } from './address.ts';
import { build } from './build.ts';
import { connect } from './connect.ts';
import { engineFailure, engineStatus } from './dockerode-failure.ts';
import type { Engine, LocalImage } from './engine.ts';
import { type EngineClock, pushWithRetries } from './push-retry.ts';
import { hostOf } from './registry-host.ts';
import { runningOf } from './running.ts';
import { pull, pushOnce } from './transfer.ts';

export interface EngineOptions {
  /** The setting `docker-host`. */
  readonly dockerHost?: string | undefined;
  readonly env: EngineEnvironment;
  readonly clock: EngineClock;
  /** Ends everything that runs, on both sides. */
  readonly signal: AbortSignal;
  /** Hosts that are spoken to without TLS beside loopback ones; only Podman wants to be told. */
  readonly insecureRegistries?: readonly string[];
  /** Our own sentences about repeated pushes. */
  readonly tell?: (text: string) => void;
}

/**
 * The engine that answers first, in the order: setting, `DOCKER_HOST`, docker context, the usual sockets, Podman's.
 * Fails with `engine-unreachable` within 10 seconds.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { clock, signal, insecureRegistries = [], tell = () => {} } = options;
  const { docker, info } = await connect(options.dockerHost, options.env, signal, options.clock);
  const at = { docker, info, clock, signal, insecureRegistries };
  return {
    docker,
    info: async () => info,
    build: (request, onProgress) => build(at, request, onProgress),
    push: (repository, tag, credential, onProgress, pushOptions = {}) =>
      pushWithRetries(() => pushOnce(at, repository, tag, credential, onProgress), {
        reference: `${repository}:${tag}`,
        host: hostOf(repository),
        clock,
        signal,
        options: pushOptions,
        tell,
      }),
    pull: (reference, credential, onProgress, platform) =>
      pull(at, reference, credential, onProgress, platform),
    tag: (imageId, repository, tag) =>
      guarded(`tagging ${repository}:${tag}`, signal, async () => {
        await docker.getImage(imageId).tag({ repo: repository, tag, abortSignal: signal });
      }),
    image: (name) => guarded(`inspecting ${name}`, signal, () => inspect(docker, name)),
    running: (repository) =>
      guarded('looking at what runs', signal, () => runningOf(docker, repository, signal)),
    removeImage: (name) =>
      guarded(`removing ${name}`, signal, async () => {
        await docker.getImage(name).remove({ abortSignal: signal });
      }).catch((failure) => {
        if (engineStatus(failure.cause) !== 404) throw failure;
      }),
  };
}

/** The typings lack the variant. */
type Found = Docker.ImageInspectInfo & { Variant?: string };

async function inspect(docker: Docker, name: string): Promise<LocalImage | undefined> {
  let found: Found;
  try {
    found = (await docker.getImage(name).inspect()) as Found;
  } catch (cause) {
    if (engineStatus(cause) === 404) return undefined;
    throw cause;
  }
  const config = found.Config as Docker.ImageInspectInfo['Config'] & { Healthcheck?: { Test?: string[] } };
  const check = config?.Healthcheck?.Test;
  return {
    id: found.Id,
    platform: formatPlatform(
      normalisePlatform({ os: found.Os, architecture: found.Architecture, variant: found.Variant }),
    ),
    labels: config?.Labels ?? {},
    repoDigests: found.RepoDigests ?? [],
    volumes: Object.keys(config?.Volumes ?? {}).sort(),
    healthcheck: check !== undefined && check.length > 0 && check[0] !== 'NONE',
  };
}

async function guarded<T>(doing: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw engineFailure(cause, doing, signal);
  }
}
