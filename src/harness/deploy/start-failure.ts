import { engineFailure, engineStatus, engineWords } from '../../engine/dockerode-failure.ts';
import { Failure } from '../../outcome.ts';

/**
 * Why a container did not start. What the engine says about the container (no such program, a mount that does not
 * fit) is the release's fault: `crashed`. A full disk, a lost engine or a cancelled run is nobody's.
 */
export function startFailure(cause: unknown, service: string, signal: AbortSignal): Failure {
  if (cause instanceof Failure) return cause;
  const words = engineWords(cause);
  if (isDiskFull(words)) return new Failure('disk-full', `The engine has no space left: ${words}`, { cause });
  const status = engineStatus(cause);
  if (!signal.aborted && status !== undefined && status >= 400 && status !== 503) {
    return new Failure('crashed', `The container of \`${service}\` could not be started: ${words}`, {
      cause,
    });
  }
  return engineFailure(cause, `starting \`${service}\``, signal);
}

/**
 * What an engine's answer or a broken connection to it means for the run. An error that is neither is our own fault,
 * and is given back as it is.
 */
export function callFailure(cause: unknown, doing: string, signal: AbortSignal): unknown {
  if (cause instanceof Failure) return cause;
  const { code } = cause as { code?: unknown };
  if (engineStatus(cause) === undefined && typeof code !== 'string') return cause;
  const words = engineWords(cause);
  if (isDiskFull(words)) return new Failure('disk-full', `No space is left: ${words}`, { cause });
  return engineFailure(cause, doing, signal);
}

export function isDiskFull(words: string): boolean {
  return /no space left on device|disk quota exceeded|\bENOSPC\b/i.test(words);
}
