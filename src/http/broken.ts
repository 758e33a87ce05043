/** Errors after which the same request may well succeed, and whether the server can have seen it. */
const transient: Readonly<Record<string, { readonly why: string; readonly sent: boolean }>> = {
  ECONNRESET: { why: 'connection reset', sent: true },
  EPIPE: { why: 'connection closed', sent: true },
  ETIMEDOUT: { why: 'connection timed out', sent: true },
  UND_ERR_SOCKET: { why: 'connection closed before the end', sent: true },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { why: 'answer ended early', sent: true },
  UND_ERR_HEADERS_TIMEOUT: { why: 'no answer in time', sent: true },
  UND_ERR_BODY_TIMEOUT: { why: 'answer stalled', sent: true },
  HPE_INVALID_EOF_STATE: { why: 'answer ended early', sent: true },
  Z_BUF_ERROR: { why: 'answer ended early', sent: true },
  ERR_STREAM_PREMATURE_CLOSE: { why: 'answer ended early', sent: true },
  UND_ERR_CONNECT_TIMEOUT: { why: 'connecting took too long', sent: false },
  ECONNREFUSED: { why: 'connection refused', sent: false },
  EHOSTUNREACH: { why: 'host unreachable', sent: false },
  ENETUNREACH: { why: 'network unreachable', sent: false },
  EAI_AGAIN: { why: 'name could not be resolved right now', sent: false },
};

/**
 * Why a connection broke, where that is likely to pass; `undefined` for everything that will be the same next time
 * (unknown name, bad certificate, not HTTP). `sent` is false where the server cannot have seen the request.
 */
export function brokenBy(error: unknown): { readonly why: string; readonly sent: boolean } | undefined {
  for (const cause of chain(error)) {
    const known = transient[codeOf(cause)];
    if (known !== undefined) return known;
    // A proxy that cannot reach the server now; undici has no code for it.
    const proxy = /^Proxy response \((\d{3})\)/.exec(messageOf(cause))?.[1];
    if (proxy !== undefined && Number(proxy) >= 500)
      return { why: `the proxy answered ${proxy}`, sent: false };
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

function chain(error: unknown): unknown[] {
  const found: unknown[] = [];
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
