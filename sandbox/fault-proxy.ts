import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that came through, in the order of arrival. */
export interface Recorded {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The first 64 KiB of the body. */
  body: Buffer;
  /** What the client was told; undefined while it waits and where it was cut off. */
  status?: number;
  /** The fault that hit it. */
  fault?: Fault;
}

/** What happens to the requests that match; without `how` they are only delayed. */
export interface Fault {
  /** `PUT`, or a pattern over the method. */
  readonly method?: string | RegExp;
  /** A pattern over path and query. */
  readonly path?: RegExp;
  /** How many matching requests it hits; default 1, Infinity for all. */
  readonly times?: number;
  /** Lets this many matching requests pass first. */
  readonly after?: number;
  /** Hits a matching request with this probability, drawn from the proxy's seed; default 1. */
  readonly probability?: number;
  readonly delayMs?: number;
  readonly how?:
    | Answer
    | ((request: Recorded) => Answer)
    /** The connection is reset before the server sees the request. */
    | 'reset'
    /** The server's answer is cut in the middle of its body. */
    | 'reset-mid-body'
    /** The server acts, its answer is lost. */
    | 'cut-after'
    /** Never answered; the connection stays open. */
    | 'hang'
    /** One byte in the middle of the answer's body is another; length and headers stay. */
    | 'corrupt';
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface FaultProxy {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly requests: readonly Recorded[];
  /** Adds a fault; of those that match a request the one added first hits it. */
  fault(fault: Fault): void;
  /** Removes all faults and forgets the requests so far. */
  clear(): void;
  stop(): Promise<void>;
}

export interface ProxyOptions {
  /** Seed of the faults with a probability. */
  readonly seed?: number;
  /** Answers requests itself instead of the target; undefined passes them on. */
  readonly intercept?: (request: Recorded) => Answer | undefined | Promise<Answer | undefined>;
}

/** An HTTP server on loopback that passes everything on to `target` (`host:port`, or who knows it), but for the faults it is told. */
export async function faultProxy(
  target: string | (() => string),
  options: ProxyOptions = {},
): Promise<FaultProxy> {
  const requests: Recorded[] = [];
  let faults: { fault: Fault; left: number; pass: number }[] = [];
  const random = generator(options.seed ?? 1);

  const hit = (asked: Recorded): Fault | undefined => {
    for (const entry of faults) {
      const { method, path, probability } = entry.fault;
      if (typeof method === 'string' ? method !== asked.method : method && !method.test(asked.method))
        continue;
      if (entry.left === 0 || (path && !path.test(asked.path))) continue;
      if (entry.pass > 0) {
        entry.pass--;
        continue;
      }
      if (probability !== undefined && random() >= probability) continue;
      entry.left--;
      return entry.fault;
    }
    return undefined;
  };

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const asked: Recorded = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: Buffer.alloc(0),
    };
    requests.push(asked);
    incoming.on('data', (chunk: Buffer) => {
      if (asked.body.length < 65_536) asked.body = Buffer.concat([asked.body, chunk]).subarray(0, 65_536);
    });
    incoming.on('error', () => {});
    outgoing.on('error', () => {});
    // Paused again until somebody is there to read: the recorder alone must not swallow the body.
    incoming.pause();
    const fault = hit(asked);
    if (fault) asked.fault = fault;
    if (fault?.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    const how = fault?.how;
    if (how === 'hang') {
      incoming.resume();
      return;
    }
    if (how === 'reset') {
      incoming.socket.resetAndDestroy();
      return;
    }
    const own = typeof how === 'function' ? how(asked) : typeof how === 'object' ? how : undefined;
    const answer = own ?? (await options.intercept?.(asked));
    if (answer) {
      incoming.resume();
      asked.status = answer.status;
      outgoing.writeHead(answer.status, { ...answer.headers }).end(answer.body);
      return;
    }
    forward(
      typeof target === 'string' ? target : target(),
      incoming,
      outgoing,
      asked,
      typeof how === 'string' ? how : undefined,
    );
  };

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fault: (fault) => {
      faults.push({ fault, left: fault.times ?? 1, pass: fault.after ?? 0 });
    },
    clear: () => {
      faults = [];
      requests.length = 0;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function forward(
  target: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  asked: Recorded,
  mishap: 'reset-mid-body' | 'cut-after' | 'corrupt' | undefined,
): void {
  const [hostname, port] = target.split(':');
  const { connection: _, ...headers } = incoming.headers;
  // The Host header stays the client's: a registry makes the addresses it hands out from it.
  const onward = request({ hostname, port, method: asked.method, path: asked.path, headers });
  onward.on('error', () => incoming.socket.destroy());
  onward.on('response', async (answer) => {
    answer.on('error', () => outgoing.destroy());
    if (mishap === undefined) {
      asked.status = answer.statusCode ?? 502;
      outgoing.writeHead(asked.status, answer.headers);
      answer.pipe(outgoing);
      return;
    }
    const body = Buffer.concat(await answer.toArray());
    if (mishap === 'cut-after') {
      incoming.socket.resetAndDestroy();
      return;
    }
    asked.status = answer.statusCode ?? 502;
    outgoing.writeHead(asked.status, answer.headers);
    const middle = body.length >> 1;
    if (mishap === 'corrupt') {
      if (body.length > 0) body[middle] = (body[middle] ?? 0) ^ 0x01;
      outgoing.end(body);
      return;
    }
    outgoing.write(body.subarray(0, middle), () => incoming.socket.resetAndDestroy());
    if (middle === 0) outgoing.flushHeaders();
  });
  incoming.pipe(onward);
}

/** A small generator of numbers in [0, 1): the same row for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
