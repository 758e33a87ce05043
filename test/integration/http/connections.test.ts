import { createServer as createRawServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttp } from '../../../src/http/client.ts';
import { exchange } from '../../../src/http/exchange.ts';
import type { HttpOptions, Retry } from '../../../src/http/http.ts';
import { makeWay } from '../../../src/http/ways.ts';
import { instantClock, serve } from './server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function start(answer: Parameters<typeof serve>[0], options: Partial<HttpOptions> = {}) {
  const server = await serve(answer);
  const retries: Retry[] = [];
  const http = createHttp({ clock: instantClock(), onRetry: (retry) => retries.push(retry), ...options });
  open.push(http, server);
  return { server, http, retries };
}

/** A server below HTTP: what it does with a connection is the test's. */
async function raw(handle: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createRawServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
  return { port, url: `http://127.0.0.1:${port}` };
}

describe('connections to one origin', () => {
  it('are bounded, and everybody gets one in the end', async () => {
    const sockets = new Set<Socket>();
    const held: (() => void)[] = [];
    const { server, http } = await start(
      (_, response, request) => {
        sockets.add(request.socket);
        held.push(() => response.end());
        // Nobody is answered before all places are taken.
        if (held.length === 4) for (const answer of held.splice(0)) answer();
      },
      { connections: 4 },
    );
    await Promise.all(Array.from({ length: 60 }, () => http.request({ url: server.url })));
    expect(server.seen).toHaveLength(60);
    expect(sockets.size).toBe(4);
  });

  it.each([
    ['an encoding nobody knows', { 'content-encoding': 'xz' }],
    ['more than the limit', {}],
    ['a redirect that is not followed', { location: 'ftp://elsewhere/' }],
  ])('are free again after an answer with %s', async (_, headers) => {
    const { server, http } = await start(
      (__, response) => response.writeHead('location' in headers ? 302 : 200, headers).end('x'.repeat(100)),
      { connections: 1 },
    );
    for (let time = 0; time < 3; time++) {
      // Less than the server keeps a connection that nobody reads from.
      await expect(http.request({ url: server.url, limit: 10, deadline: 2000 })).rejects.toMatchObject({
        code: 'answer-invalid',
      });
    }
    expect(server.seen).toHaveLength(3);
  });

  it('are free again after a request that cannot be sent', async () => {
    const { server, http } = await start((_, response) => response.end('ok'), { connections: 1 });
    const headers = { 'x-split': 'a\r\nauthorization: other' };
    await expect(http.request({ url: server.url, headers })).rejects.toMatchObject({
      code: 'cannot-determine',
    });
    expect((await http.request({ url: server.url })).text()).toBe('ok');
    expect(server.seen).toHaveLength(1);
  });

  it('are free again for the next in line when somebody leaves it', async () => {
    const { server, http } = await start(
      (seen, response) => void (seen.path === '/hangs' || response.end('ok')),
      { connections: 1 },
    );
    const [hanging, waiting] = [new AbortController(), new AbortController()];
    const first = http.request({ url: `${server.url}/hangs`, signal: hanging.signal });
    await expect.poll(() => server.seen.length).toBe(1);
    const second = http.request({ url: server.url, signal: waiting.signal });
    const third = http.request({ url: server.url });
    waiting.abort();
    await expect(second).rejects.toMatchObject({ code: 'cancelled' });
    hanging.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    expect((await third).text()).toBe('ok');
    expect(server.seen).toHaveLength(2);
  });
});

describe('a kept connection that the server has given up', () => {
  /** Answers the first request of each connection; the second one finds it dead. */
  const forgetful = (socket: Socket) => {
    let asked = 0;
    socket.on('data', () => {
      if (++asked === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      else socket.resetAndDestroy();
    });
  };

  it('costs a GET one more try', async () => {
    const { url } = await raw(forgetful);
    const retries: Retry[] = [];
    const http = createHttp({ clock: instantClock(), onRetry: (retry) => retries.push(retry) });
    open.push(http);
    await http.request({ url });
    expect((await http.request({ url })).text()).toBe('ok');
    expect(retries.map(({ why }) => why)).toEqual(['connection reset']);
  });

  it('is an error for a POST, which may have been carried out', async () => {
    const { url } = await raw(forgetful);
    const http = createHttp({ clock: instantClock() });
    open.push(http);
    await http.request({ url });
    await expect(http.request({ url, method: 'POST', body: 'x' })).rejects.toMatchObject({
      code: 'cannot-determine',
    });
  });
});

describe('an upload', () => {
  const source = (given: number) => ({
    size: 10,
    open: () => Readable.from([Buffer.alloc(5, 'a'), Buffer.alloc(given - 5, 'b')]),
  });

  it.each([8, 14])('of 10 bytes whose source gives %i is broken off', async (given) => {
    const { server, http } = await start((_, response) => response.end());
    await expect(http.request({ url: server.url, method: 'PUT', body: source(given) })).rejects.toMatchObject(
      { message: expect.stringContaining('did not give its 10 bytes') },
    );
    expect(server.seen).toEqual([]);
  });

  it('that is answered early sends no more than it has to', async () => {
    let given = 0;
    let closed = false;
    const { url } = await raw((socket) => {
      socket.on('close', () => {
        closed = true;
      });
      socket.once('data', () => {
        socket.write('HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno');
      });
    });
    const http = createHttp({ clock: instantClock(), connections: 1 });
    open.push(http);
    const piece = Buffer.alloc(65_536);
    const body = {
      size: piece.length * 10_000,
      open: () =>
        Readable.from(
          (async function* () {
            for (; given < 10_000; given++) yield piece;
          })(),
        ),
    };
    expect(await http.request({ url, method: 'PUT', body })).toMatchObject({ status: 401 });
    await expect.poll(() => closed).toBe(true);
    expect(given).toBeLessThan(10_000);
  });

  it('asks for no permission to begin', async () => {
    const { server, http } = await start((_, response) => response.end());
    await http.request({ url: server.url, method: 'PUT', body: source(10) });
    expect(server.seen[0]!.headers).not.toHaveProperty('expect');
    expect(server.seen[0]!.headers).not.toHaveProperty('transfer-encoding');
  });

  it.each(['PUT', 'POST', 'PATCH'])('of nothing says so: %s', async (method) => {
    const { server, http } = await start((_, response) => response.end());
    await http.request({ url: server.url, method });
    expect(server.seen[0]!.headers).toMatchObject({ 'content-length': '0' });
  });
});

it('two values of one header are both there, never one of them chosen', async () => {
  const { server, http } = await start((_, response) =>
    response
      .writeHead(200, [
        ...['content-type', 'a/b', 'content-type', 'c/d'],
        ...['docker-content-digest', 'sha256:a', 'docker-content-digest', 'sha256:b'],
      ])
      .end(),
  );
  expect((await http.request({ url: server.url })).headers).toMatchObject({
    'content-type': 'a/b, c/d',
    'docker-content-digest': 'sha256:a, sha256:b',
  });
});

it.each([
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok!'],
  [
    'length and chunks',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  ],
  ['something that is no HTTP', 'SSH-2.0-OpenSSH_9.2p1\r\n'],
])('an answer with %s is none', async (_, answer) => {
  const { url } = await raw((socket) => socket.once('data', () => socket.end(answer)));
  const http = createHttp({ clock: instantClock() });
  open.push(http);
  await expect(http.request({ url })).rejects.toMatchObject({ code: 'cannot-determine' });
});

describe('making a connection', () => {
  const sent = (signal = new AbortController().signal) =>
    ({ method: 'GET', headers: {}, body: undefined, signal, idle: 60_000 }) as const;
  const limits = { kept: 1, connectMs: 100, keptMs: 1000, signal: new AbortController().signal };

  it.each([
    ['TLS to a server that says nothing', undefined],
    ['a tunnel from a proxy that says nothing', 'proxied'],
  ])('has a limit of its own: %s', async (_, proxied) => {
    const { port, url } = await raw(() => {});
    const way = makeWay('https:', proxied === undefined ? undefined : new URL(url), limits);
    let ended = 0;
    const answer = exchange(way, new URL(`https://127.0.0.1:${port}/`), sent(), () => ended++);
    await expect(answer).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' });
    await expect.poll(() => ended).toBe(1);
  });

  it('ends with the program, also a tunnel', async () => {
    const { port, url } = await raw(() => {});
    const closing = new AbortController();
    const way = makeWay('https:', new URL(url), { ...limits, connectMs: 60_000, signal: closing.signal });
    const answer = exchange(way, new URL(`https://127.0.0.1:${port}/`), sent(), () => {});
    closing.abort();
    await expect(answer).rejects.toThrow(/abort/);
  });
});
