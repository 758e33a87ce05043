import { Failure } from '../outcome.ts';
import { buildFailure } from './build-failure.ts';
import { watchClassic } from './classic-progress.ts';
import type { BuildRequest, Progress } from './engine.ts';
import { type EngineMessage, readMessages } from './message-stream.ts';
import { type FailedStep, watchSolve } from './solve-progress.ts';
import { decodeTrace } from './solve-status.ts';

interface Watch {
  take(message: EngineMessage): void;
  end(): void;
  failed(): FailedStep | undefined;
}

/**
 * Reads the engine's answer to a build to its end. A build counts only when an image was named: an answer that is
 * cut, or is no engine's at all, is a failure although its HTTP status was 200.
 */
export async function readBuildAnswer(
  chunks: AsyncIterable<Uint8Array>,
  request: Pick<BuildRequest, 'dockerfile' | 'locate' | 'redact'>,
  classic: boolean,
  now: () => number,
  onProgress: (progress: Progress) => void,
): Promise<{ imageId: string }> {
  const watch = classic ? watchClassic(onProgress, now) : watchBuildKit(onProgress);
  let imageId: string | undefined;
  let shortId: string | undefined;
  let failed: EngineMessage['error'];
  let unreadable: string | undefined;
  for await (const message of readMessages(chunks)) {
    watch.take(message);
    imageId = imageIdOf(message) ?? imageId;
    shortId = shortIdOf(message) ?? shortId;
    failed ??= message.error;
    unreadable ??= message.unreadable;
  }
  watch.end();
  if (failed) {
    throw buildFailure(failed.message, failed.code, watch.failed(), request);
  }
  const id = imageId ?? shortId;
  if (id === undefined) {
    const said = unreadable === undefined ? '' : ` It said: ${unreadable}`;
    throw new Failure('engine-failed', `The engine ended the build without naming an image.${said}`);
  }
  return { imageId: id };
}

function watchBuildKit(onProgress: (progress: Progress) => void): Watch {
  const watch = watchSolve(onProgress);
  return {
    take(message) {
      if (message.id === 'moby.buildkit.trace' && typeof message.aux === 'string') {
        watch.take(decodeTrace(message.aux));
      }
    },
    end: () => watch.end(),
    failed: () => watch.failed(),
  };
}

/** The classic builder names an image for every stage, so the last one counts. */
function imageIdOf(message: EngineMessage): string | undefined {
  const id = (message.aux as { ID?: unknown } | null | undefined)?.ID;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** Old engines name the image in their text only; a RUN can write the same, so it counts where nothing else does. */
function shortIdOf(message: EngineMessage): string | undefined {
  return /^Successfully built ([0-9a-f]{12,64})\s*$/.exec(message.stream ?? '')?.[1];
}
