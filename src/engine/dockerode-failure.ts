import { Failure } from '../outcome.ts';

/**
 * What dockerode throws, as a Failure. Its own messages are `(HTTP code 500) server error - <engine's words> `;
 * connection errors keep the code of the socket. A Failure from one of our streams passes through.
 */
export function engineFailure(cause: unknown, doing: string, signal: AbortSignal): Failure {
  if (cause instanceof Failure) return cause;
  if (signal.aborted) return new Failure('cancelled', undefined, { cause });
  const { code, statusCode } = cause as { code?: unknown; statusCode?: unknown };
  const words = engineWords(cause);
  if (
    typeof statusCode !== 'number' &&
    typeof code === 'string' &&
    /^(?:ECONNREFUSED|ENOENT|EACCES|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH)$/.test(code)
  ) {
    return new Failure(
      'engine-unreachable',
      `The engine does not answer any more (${code}) while ${doing}.`,
      {
        cause,
      },
    );
  }
  return new Failure('engine-failed', `The engine failed while ${doing}: ${words}`, { cause });
}

/** The engine's own words in what dockerode threw. Podman answers some faults with an empty message. */
export function engineWords(cause: unknown): string {
  const { message, statusCode } = cause as { message?: unknown; statusCode?: unknown };
  const words = String(message ?? cause)
    .replace(/^\(HTTP code \d+\) .*? - /s, '')
    .replace(/\s+/g, ' ')
    .trim();
  const shown = words === '' || words === '[object Object]' ? 'no message' : words.slice(0, 500);
  return typeof statusCode === 'number' && words === '' ? `HTTP ${statusCode} without a message` : shown;
}

/** The HTTP status of what dockerode threw, if it was an answer at all. */
export function engineStatus(cause: unknown): number | undefined {
  const { statusCode } = cause as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : undefined;
}
