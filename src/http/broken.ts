/** An error of a connection, with a code as the system's own errors have one. Never leaves this room. */
export function fault(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

interface Broken {
  readonly why: string;
  /** False where the server cannot have seen the request. */
  readonly sent: boolean;
}

/** Errors after which the same request may well succeed, and whether the server can have seen it. */
const transient: Readonly<Record<string, Broken>> = {
  ECONNRESET: { why: 'connection reset', sent: true },
  EPIPE: { why: 'connection closed', sent: true },
  ETIMEDOUT: { why: 'connection timed out', sent: true },
  HEADERS_TIMEOUT: { why: 'no answer in time', sent: true },
  BODY_TIMEOUT: { why: 'answer stalled', sent: true },
  HPE_INVALID_EOF_STATE: { why: 'answer ended early', sent: true },
  Z_BUF_ERROR: { why: 'answer ended early', sent: true },
  ERR_STREAM_PREMATURE_CLOSE: { why: 'answer ended early', sent: true },
  CONNECT_TIMEOUT: { why: 'connecting took too long', sent: false },
  PROXY_UNAVAILABLE: { why: 'the proxy could not reach it', sent: false },
  ECONNREFUSED: { why: 'connection refused', sent: false },
  EHOSTUNREACH: { why: 'host unreachable', sent: false },
  ENETUNREACH: { why: 'network unreachable', sent: false },
  EAI_AGAIN: { why: 'name could not be resolved right now', sent: false },
};

/**
 * Why a connection broke, where that is likely to pass; `undefined` for everything that will be the same next time
 * (unknown name, bad certificate, not HTTP).
 */
export function brokenBy(error: unknown): Broken | undefined {
  for (const cause of chain(error)) {
    const known = transient[codeOf(cause)];
    if (known === undefined) continue;
    // While a connection is made nothing is sent over it, whatever ends it.
    return 'syscall' in cause && cause.syscall === 'connect' ? { ...known, sent: false } : known;
  }
  return undefined;
}

/** The most telling text of an error and its causes, with the system's code. */
export function reasonOf(error: unknown): string {
  const causes = chain(error);
  const told = causes.findLast((cause) => codeOf(cause) !== '') ?? causes.at(-1);
  const code = codeOf(told);
  const message = messageOf(told) || 'unknown error';
  return code === '' || message.includes(code) ? message : `${message} (${code})`;
}

function chain(error: unknown): Error[] {
  const found: Error[] = [];
  // Happy eyeballs fails with one error per address.
  for (const queue = [error]; queue.length > 0 && found.length < 10; ) {
    const next = queue.shift();
    if (!(next instanceof Error)) continue;
    found.push(next);
    queue.push(next.cause, ...(next instanceof AggregateError ? next.errors : []));
  }
  return found;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
