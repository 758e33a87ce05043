import type Docker from 'dockerode';
import { readBuildAnswer } from './build-answer.ts';
import { buildFailure } from './build-failure.ts';
import { engineFailure, engineStatus, engineWords } from './dockerode-failure.ts';
import type { BuildRequest, EngineInfo, Progress } from './engine.ts';
import type { EngineClock } from './push-retry.ts';

/** What a build needs from its engine. */
export interface BuildPlace {
  readonly docker: Docker;
  readonly info: EngineInfo;
  readonly clock: EngineClock;
  readonly signal: AbortSignal;
}

/** Builds one image for one platform. Fails with `build-failed` or an engine's failure. */
export async function build(
  place: BuildPlace,
  request: BuildRequest,
  onProgress: (progress: Progress) => void,
): Promise<{ imageId: string }> {
  const { docker, info, clock, signal } = place;
  const classic = isClassic(info, request);
  const context = request.context();
  let answer: NodeJS.ReadableStream | undefined;
  try {
    answer = await docker.buildImage(context, query(request, classic, info.kind === 'podman', signal));
    return await readBuildAnswer(
      answer as AsyncIterable<Uint8Array>,
      request,
      classic,
      clock.now,
      onProgress,
    );
  } catch (cause) {
    // The classic builder refuses a Dockerfile that it cannot read before it begins to answer.
    if (engineStatus(cause) === 400 && !signal.aborted) {
      throw buildFailure(engineWords(cause), undefined, undefined, request);
    }
    throw engineFailure(cause, 'building', signal);
  } finally {
    // A build that failed early has not read its whole context: neither side may be left waiting.
    (context as { destroy?: () => void }).destroy?.();
    (answer as { destroy?: () => void } | undefined)?.destroy?.();
  }
}

/**
 * Podman has no other builder. Docker 26 with the containerd store cannot fetch the context of a BuildKit build that
 * has no session. Only the classic builder takes an ignored Dockerfile out of the context after reading it.
 */
export function isClassic(info: EngineInfo, request: Pick<BuildRequest, 'hideDockerfile'>): boolean {
  const broken = info.store === 'containerd' && Number.parseInt(info.version, 10) < 27;
  return info.kind === 'podman' || broken || request.hideDockerfile === true;
}

/**
 * `version` is the number 2: BuildKit without dockerode's session, which would hand its one credential to every host
 * that a Dockerfile names. No credential goes into a build at all; private bases are pulled before. Podman's cache
 * ignores labels and build-args of the request, so it is not used.
 */
function query(request: BuildRequest, classic: boolean, podman: boolean, signal: AbortSignal) {
  const options = {
    t: request.tag,
    dockerfile: request.dockerfile,
    ...(request.platform === undefined ? {} : { platform: request.platform }),
    ...(request.target === undefined ? {} : { target: request.target }),
    buildargs: classic ? request.buildArgs : { ...request.buildKitArgs, ...request.buildArgs },
    labels: request.labels,
    nocache: request.noCache || podman,
    ...(request.pull ? { pull: 'true' } : {}),
    cachefrom: [...request.cacheFrom],
    rm: true,
    forcerm: true,
    version: classic ? 1 : 2,
    abortSignal: signal,
  };
  // The typings know only strings, of which '2' is the one that opens the session.
  return options as unknown as Docker.ImageBuildOptions;
}
