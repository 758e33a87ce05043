import type Docker from 'dockerode';
import { Failure } from '../outcome.ts';
import { engineFailure, engineStatus, engineWords } from './dockerode-failure.ts';
import type { Credential, EngineInfo, Progress } from './engine.ts';
import { type EngineMessage, readMessages } from './message-stream.ts';
import { readPushAnswer } from './push-result.ts';
import type { EngineClock, PushTry } from './push-retry.ts';
import { authOf, hostOf, isPlain } from './registry-host.ts';

/** What moving an image between engine and registry needs from its engine. */
export interface Transfer {
  readonly docker: Docker;
  readonly info: EngineInfo;
  readonly clock: EngineClock;
  readonly signal: AbortSignal;
  readonly insecureRegistries: readonly string[];
}

type OnProgress = (progress: Progress) => void;
type Stream = AsyncIterable<Uint8Array>;

/** One try to push one tag. Only a cancelled run fails; everything else is the words of the engine. */
export async function pushOnce(
  at: Transfer,
  repository: string,
  tag: string,
  credential: Credential | undefined,
  onProgress: OnProgress,
): Promise<PushTry> {
  try {
    const stream = await at.docker.getImage(repository).push({
      tag,
      authconfig: authOf(repository, credential),
      abortSignal: at.signal,
      ...plainIfPodman(at, repository),
    });
    return await readPushAnswer(stream as Stream, tag, watchLayers('push', onProgress, at.clock));
  } catch (cause) {
    if (at.signal.aborted) throw engineFailure(cause, 'pushing', at.signal);
    if (engineStatus(cause) !== undefined) return { failed: engineWords(cause) };
    return { failed: `connection closed between us and the engine: ${engineWords(cause)}` };
  }
}

/** Pulls one reference. Fails with `registry-denied`, `base-unresolved`, `registry-failed` or an engine's failure. */
export async function pull(
  at: Transfer,
  reference: string,
  credential: Credential | undefined,
  onProgress: OnProgress,
  platform: string | undefined,
): Promise<void> {
  try {
    const stream = await at.docker.createImage(authOf(reference, credential), {
      fromImage: reference,
      ...(platform === undefined ? {} : { platform }),
      abortSignal: at.signal,
      ...plainIfPodman(at, reference),
    });
    const watch = watchLayers('pull', onProgress, at.clock);
    for await (const message of readMessages(stream as Stream)) {
      watch(message);
      const failed = message.error?.message ?? message.unreadable;
      if (failed !== undefined) throw pullFailure(failed, reference);
    }
  } catch (cause) {
    if (engineStatus(cause) !== undefined && !at.signal.aborted) {
      throw pullFailure(engineWords(cause), reference);
    }
    throw engineFailure(cause, `pulling ${reference}`, at.signal);
  }
}

function plainIfPodman(at: Transfer, reference: string): { tlsVerify?: string } {
  return at.info.kind === 'podman' && isPlain(reference, at.insecureRegistries) ? { tlsVerify: 'false' } : {};
}

/** A layer's way to or from the registry: told when it begins and when it ends, not for every chunk. */
function watchLayers(
  verb: string,
  onProgress: OnProgress,
  clock: EngineClock,
): (message: EngineMessage) => void {
  const begun = new Map<string, number>();
  const ended = new Set<string>();
  return ({ id, status }) => {
    if (id === undefined || status === undefined || !/^[0-9a-f]{12,64}$/.test(id) || ended.has(id)) return;
    const step = `${verb} ${id.slice(0, 12)}`;
    const cached = /already exists|Mounted from/i.test(status);
    if (cached || /^(?:Pushed|Pull complete|Download complete)$/.test(status)) {
      ended.add(id);
      onProgress({
        step,
        status: 'done',
        ms: Math.round(clock.now() - (begun.get(id) ?? clock.now())),
        cached,
      });
    } else if (!begun.has(id)) {
      begun.set(id, clock.now());
      onProgress({ step, status: 'started' });
    }
  };
}

function pullFailure(words: string, reference: string): Failure {
  const host = hostOf(reference);
  const shown = words.slice(0, 200);
  if (
    /denied|unauthorized|authentication required|no basic auth|authorization failed|forbidden/i.test(words)
  ) {
    return new Failure('registry-denied', `${host} refused the pull of ${reference}: ${shown}`, {
      remedy: `Give credentials for ${host} in \`registries\`.`,
    });
  }
  if (/not found|manifest unknown/i.test(words)) {
    return new Failure('base-unresolved', `${reference} is not there: ${shown}`);
  }
  return new Failure('registry-failed', `The pull of ${reference} failed: ${shown}`);
}
