import { Failure } from '../outcome.ts';

/** One line of an engine's answer to a build, push or pull. All text is untrusted. */
export interface EngineMessage {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly aux?: unknown;
  /** The error that ends the operation: the HTTP status is 200 all the same. */
  readonly error?: { readonly message: string; readonly code?: number };
  /** The line itself, where it is no JSON object: a proxy's page, a crash of the engine. */
  readonly unreadable?: string;
}

const longestLine = 16 * 1024 * 1024;

/**
 * The messages of an engine's answer. Reads what dockerode's own reader does not: a character split over two
 * chunks, a last line without newline, a line that is no JSON, and errors that come inside of a 200.
 */
export async function* readMessages(
  chunks: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<EngineMessage> {
  for await (const line of readLines(chunks)) {
    const trimmed = line.trim();
    if (trimmed !== '') yield parseMessage(trimmed);
  }
}

/** The lines of a byte stream as UTF-8, without their newline; the last may lack it. */
export async function* readLines(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pending = '';
  for await (const chunk of chunks) {
    pending += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n', start)) {
      yield pending.slice(start, end);
      start = end + 1;
    }
    pending = pending.slice(start);
    if (pending.length > longestLine) {
      throw new Failure('engine-failed', 'The engine sent a progress line of more than 16 MiB.');
    }
  }
  pending += decoder.decode();
  if (pending !== '') yield pending;
}

function parseMessage(line: string): EngineMessage {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return { unreadable: line.slice(0, 200) };
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return { unreadable: line.slice(0, 200) };
  }
  const raw = parsed as Record<string, unknown>;
  const error = errorOf(raw);
  return {
    ...(typeof raw.stream === 'string' ? { stream: raw.stream } : {}),
    ...(typeof raw.status === 'string' ? { status: raw.status } : {}),
    ...(typeof raw.id === 'string' ? { id: raw.id } : {}),
    ...(raw.aux === undefined ? {} : { aux: raw.aux }),
    ...(error ? { error } : {}),
  };
}

/** `errorDetail` is the field; `error` is what older engines and Podman repeat it in, or have alone. */
function errorOf(raw: Record<string, unknown>): EngineMessage['error'] {
  const detail = raw.errorDetail;
  if (typeof detail === 'object' && detail !== null) {
    const { message, code } = detail as Record<string, unknown>;
    const text = typeof message === 'string' && message !== '' ? message : raw.error;
    return {
      message: typeof text === 'string' && text !== '' ? text : 'no message',
      ...(typeof code === 'number' && code !== 0 ? { code } : {}),
    };
  }
  if (typeof raw.error === 'string' && raw.error !== '') return { message: raw.error };
  return undefined;
}
