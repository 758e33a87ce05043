import { request } from 'node:http';
import { connect } from 'node:net';
import type { Address } from './reach.ts';

/** What one look at the subject showed: `ok`, or why not, in words for a person. Untrusted text may be in it. */
export interface Look {
  readonly ok: boolean;
  readonly seen: string;
}

/** Bytes of an answer that are looked at; the subject is hostile and may never stop. */
const BODY_LIMIT = 1024 * 1024;
const LOOK_MS = 5000;

export interface HttpWish {
  readonly path: string;
  readonly method?: string;
  readonly body?: string;
  /** The status that is right; without it any of 200 to 299, and for readiness any below 400. */
  readonly status?: number;
  readonly contains?: string;
}

/**
 * One request to the subject, never through a proxy, never following a redirect: the subject could send us to the
 * machine's metadata service or to another job.
 */
export function lookHttp(
  address: Address,
  wish: HttpWish,
  belowOk: number,
  signal: AbortSignal,
  timeoutMs = LOOK_MS,
): Promise<Look> {
  return new Promise((resolve) => {
    const no = (seen: string): void => resolve({ ok: false, seen });
    const call = request(
      {
        host: address.host.replace(/^\[|\]$/g, ''),
        port: address.port,
        path: wish.path,
        method: wish.method ?? 'GET',
        headers: {
          'user-agent': 'knowngood',
          accept: '*/*',
          ...(wish.body === undefined ? {} : { 'content-length': Buffer.byteLength(wish.body) }),
        },
        agent: false,
        // A CGI program that ends its lines with LF alone is no fault of a release. Nothing but the status and a text
        // is taken from the answer, and the connection serves one request, so leniency lets nothing in.
        insecureHTTPParser: true,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      },
      (answer) => {
        const status = answer.statusCode ?? 0;
        const right = wish.status === undefined ? status >= 200 && status < belowOk : status === wish.status;
        if (!right || wish.contains === undefined) {
          call.destroy();
          return resolve({ ok: right, seen: `HTTP ${status}` });
        }
        let body = Buffer.alloc(0);
        const judge = (): void => {
          const ok = body.includes(wish.contains ?? '');
          resolve({ ok, seen: ok ? `HTTP ${status}` : `HTTP ${status} without \`${wish.contains}\`` });
          call.destroy();
        };
        answer.on('data', (chunk: Buffer) => {
          body = Buffer.concat([body, chunk]);
          if (body.length >= BODY_LIMIT || body.includes(wish.contains ?? '')) judge();
        });
        answer.on('end', judge);
        answer.on('error', (error) => no(`the answer broke off: ${error.message}`));
      },
    );
    call.on('error', (error: NodeJS.ErrnoException) => no(reasonOf(error)));
    call.end(wish.body);
  });
}

/** A published port is answered by the engine's proxy before the service listens; it hangs up at once then. */
const HELD_MS = 250;

/** One connection: it has to stay open for a moment, or to say something. */
export function lookTcp(address: Address, signal: AbortSignal): Promise<Look> {
  return new Promise((resolve) => {
    const socket = connect({ host: address.host.replace(/^\[|\]$/g, ''), port: address.port });
    let held: NodeJS.Timeout | undefined;
    const end = (look: Look): void => {
      clearTimeout(held);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(look);
    };
    const abort = (): void => end({ ok: false, seen: 'no time left' });
    signal.addEventListener('abort', abort, { once: true });
    socket.setTimeout(LOOK_MS, () => end({ ok: false, seen: 'no connection in time' }));
    socket.on('connect', () => {
      held = setTimeout(() => end({ ok: true, seen: 'connected' }), HELD_MS);
    });
    socket.on('data', () => end({ ok: true, seen: 'connected' }));
    socket.on('end', () => end({ ok: false, seen: 'connected, and hung up' }));
    socket.on('error', (error: NodeJS.ErrnoException) => end({ ok: false, seen: reasonOf(error) }));
  });
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time';
  if (error.code === 'ECONNREFUSED') return 'nothing listens there';
  if (error.code === 'ECONNRESET' || error.message === 'socket hang up')
    return 'the connection was closed without an answer';
  if (error.code?.startsWith('HPE_')) return `the answer is no proper HTTP (${error.message})`;
  return error.message;
}
