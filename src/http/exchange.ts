import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { fault } from './broken.ts';
import type { RequestBody } from './http.ts';
import type { Way } from './ways.ts';

/** One request as it goes over the wire. */
export interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RequestBody | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds in which nothing moves, after which we give up. */
  readonly idle: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Must be read to its end or destroyed: until then it keeps its connection. */
  readonly body: IncomingMessage;
}

/**
 * Sends one request and gives the answer's head. `free` is called once, when request and answer are through and their
 * connection is free or closed. No request is repeated here, and nothing is followed.
 */
export function exchange(way: Way, url: URL, sent: Sent, free: () => void): Promise<Answer> {
  let ended = false;
  const over = () => {
    if (!ended) free();
    ended = true;
  };
  let request: ClientRequest;
  try {
    request = begin(way, url, sent);
  } catch (error) {
    over();
    return Promise.reject(error);
  }
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const end = (error: Error) => {
      if (answer === undefined) reject(error);
      over();
    };
    const breakOff = (error: Error) => {
      // After the head, only the answer itself tells its reader the reason; the request would say "aborted".
      (answer ?? request).destroy(error);
      // A request that has no connection yet tells of its end only when it gets one.
      if (request.socket === null) end(error);
    };
    const abort = () => breakOff(fault('ABORTED', 'given up'));
    sent.signal.addEventListener('abort', abort);
    request.on('socket', (socket: Socket) => {
      const stalled = () =>
        breakOff(
          answer === undefined
            ? fault('HEADERS_TIMEOUT', 'no answer in time')
            : fault('BODY_TIMEOUT', 'the answer stalled'),
        );
      socket.setTimeout(sent.idle).on('timeout', stalled);
      request.once('close', () => socket.off('timeout', stalled));
    });
    request.once('close', () => {
      sent.signal.removeEventListener('abort', abort);
      end(fault('ECONNRESET', 'connection closed'));
    });
    request.on('error', reject);
    request.on('response', (message) => {
      answer = message;
      // Whoever reads it is told of an error by the reading; one that comes earlier must not be nobody's.
      message.on('error', () => {});
      // Answered before all was sent: nobody wants the rest, and the connection could not be used again without it.
      message.once('end', () => {
        if (!request.writableEnded) request.destroy();
      });
      resolve({ status: message.statusCode ?? 0, headers: message.headers, body: message });
    });
    if (sent.signal.aborted) abort();
    else send(request, sent.body).catch(breakOff);
  });
}

function begin(way: Way, url: URL, sent: Sent): ClientRequest {
  const { headers, ...to } = way.lead(url);
  const size = sizeOf(sent.body);
  const length = size === undefined ? {} : { 'content-length': String(size) };
  return way.request({
    ...to,
    method: sent.method,
    agent: way.agent,
    headers: { ...headers, ...sent.headers, ...length },
    // Two values of one name are not silently one: what names a digest or a place must be unambiguous.
    joinDuplicateHeaders: true,
  });
}

/** Reads away what nobody wants, so that the connection can be used again; gives it up where that is too much. */
export async function discard(body: IncomingMessage, limit: number): Promise<void> {
  let total = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    total += chunk.length;
    // Leaving the loop destroys the body, and with it the connection.
    if (total > limit) break;
  }
}

function sizeOf(body: RequestBody | undefined): number | undefined {
  if (body === undefined) return undefined;
  if (typeof body === 'string') return Buffer.byteLength(body);
  return body instanceof Uint8Array ? body.length : body.size;
}

async function send(request: ClientRequest, body: RequestBody | undefined): Promise<void> {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    request.end(body);
    return;
  }
  let sent = 0;
  // The loop destroys the source however it is left.
  for await (const chunk of body.open() as AsyncIterable<Uint8Array>) {
    if (request.destroyed) return;
    sent += chunk.length;
    // A server that is told a length reads what is beyond it as the next request.
    if (sent > body.size) break;
    if (!request.write(chunk)) await drained(request);
  }
  if (sent !== body.size) throw fault('LENGTH', `the source did not give its ${body.size} bytes`);
  request.end();
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      request.off('drain', go).off('close', go);
      resolve();
    };
    request.on('drain', go).on('close', go);
  });
}
