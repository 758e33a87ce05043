import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGzip, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttp } from '../../../src/http/client.ts';
import type { Http, HttpOptions, Retry } from '../../../src/http/http.ts';
import { instantClock, serve, type TestServer } from './server.ts';

const open: (Http | TestServer)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function start(answer: Parameters<typeof serve>[0], options: Partial<HttpOptions> = {}) {
  const server = await serve(answer);
  const clock = instantClock();
  const retries: Retry[] = [];
  const http = createHttp({ clock, onRetry: (retry) => retries.push(retry), ...options });
  open.push(http, server);
  return { server, http, clock, retries };
}

describe('answers', () => {
  it('come with status, headers and body, over kept connections', async () => {
    const sockets = new Set<unknown>();
    const { server, http } = await start((seen, response, request) => {
      sockets.add(request.socket);
      response
        .setHeader('X-Two', ['a', 'b'])
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ path: seen.path }));
    });
    const response = await http.request({
      url: `${server.url}/a?b=c`,
      authorization: 'Bearer t',
      headers: { Accept: 'x/y' },
    });
    expect(response).toMatchObject({ status: 200, ok: true, url: `${server.url}/a?b=c` });
    expect(response.headers).toMatchObject({ 'x-two': 'a, b' });
    expect(response.json()).toEqual({ path: '/a?b=c' });
    expect(server.seen[0]).toMatchObject({
      headers: { accept: 'x/y', authorization: 'Bearer t', 'user-agent': 'knowngood' },
    });
    for (let i = 0; i < 20; i++) await http.request({ url: server.url });
    // Not one: a socket is free again only a turn of the event loop after its answer.
    expect(sockets.size).toBeLessThan(4);
  });

  it('to many at once come without a warning of Node’s', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    const signal = new AbortController().signal;
    const { server, http } = await start((_, response) => response.end(), { signal });
    await Promise.all(Array.from({ length: 40 }, () => http.request({ url: server.url })));
    await new Promise((turn) => setImmediate(turn));
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('of any status are given, errors cut at 64 KiB', async () => {
    const { server, http } = await start((_, response) => response.writeHead(404).end('x'.repeat(200_000)));
    const response = await http.request({ url: server.url });
    expect(response.status).toBe(404);
    expect(response.body.length).toBe(65_536);
    expect(http.describe(response)).toBe(`GET ${server.url}/ answered 404: ${'x'.repeat(200)}…`);
  });

  it('that are no JSON fail as such', async () => {
    const { server, http } = await start((_, response) => response.end('<html>'));
    const response = await http.request({ url: server.url, codes: { invalid: 'manifest-invalid' } });
    expect(() => response.json()).toThrow(expect.objectContaining({ code: 'manifest-invalid' }));
  });

  it('in messages are masked and have no control characters', async () => {
    const redact = (text: string) => text.replaceAll('hunter2', '***');
    const { server, http } = await start(
      (_, response) => response.writeHead(400).end('bad \u001b[2Jhunter2\n::error::'),
      { redact },
    );
    const shown = http.describe(await http.request({ url: `${server.url}/?sig=hunter2` }));
    expect(shown).toBe(`GET ${server.url}/ answered 400: bad [2J*** ::error::`);
  });
});

describe('bodies', () => {
  it.each(['POST', 'PUT', 'PATCH'])('of a %s arrive whole, from bytes, text and streams', async (method) => {
    const { server, http } = await start((_, response) => response.end());
    const bytes = Buffer.alloc(300_000, 'ab');
    await http.request({ url: server.url, method, body: bytes });
    await http.request({ url: server.url, method, body: 'text' });
    await http.request({
      url: server.url,
      method,
      body: { size: bytes.length, open: () => Readable.from([bytes.subarray(0, 9), bytes.subarray(9)]) },
    });
    expect(server.seen.map((seen) => seen.body.equals(bytes))).toEqual([true, false, true]);
    expect(server.seen.map((seen) => seen.headers['content-length'])).toEqual(['300000', '4', '300000']);
  });

  it('are opened again for the next try', async () => {
    let opened = 0;
    const { server, http } = await start((_, response) =>
      response.writeHead(server.seen.length < 3 ? 503 : 201).end(),
    );
    const body = { size: 3, open: () => Readable.from([Buffer.from(`n=${++opened}`)]) };
    const response = await http.request({ url: server.url, method: 'PUT', body });
    expect(response.status).toBe(201);
    expect(server.seen.map((seen) => seen.body.toString())).toEqual(['n=1', 'n=2', 'n=3']);
  });

  it('that cannot be read fail with their own reason', async () => {
    const { server, http } = await start((_, response) => response.end());
    const body = {
      size: 3,
      open: () =>
        Readable.from(
          (async function* () {
            yield Buffer.from('a');
            throw new Error('disk is gone');
          })(),
        ),
    };
    await expect(http.request({ url: server.url, method: 'PUT', body })).rejects.toThrow('disk is gone');
  });
});

describe('limits', () => {
  it('count decoded bytes: a decompression bomb is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(300_000);
    const { server, http } = await start((_, response) =>
      response.setHeader('content-encoding', 'gzip').end(bomb),
    );
    const before = process.memoryUsage().arrayBuffers;
    await expect(http.request({ url: server.url, limit: 1_000_000 })).rejects.toMatchObject({
      code: 'answer-invalid',
      message: expect.stringContaining('1000000 bytes'),
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 1024 * 1024);
    expect(server.seen).toHaveLength(1);
  });

  it('hold for an error with a bomb, too, and its status is still told', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, 'a'));
    const { server, http } = await start((_, response) =>
      response.writeHead(403, { 'content-encoding': 'gzip' }).end(bomb),
    );
    const response = await http.request({ url: server.url });
    expect(response.status).toBe(403);
    expect(response.body.length).toBe(65_536);
  });

  it('of an error that cannot be read at all leave its status', async () => {
    const { server, http, retries } = await start((_, response) =>
      response.writeHead(403, { 'content-encoding': 'gzip' }).end('not packed'),
    );
    expect(await http.request({ url: server.url })).toMatchObject({ status: 403, body: new Uint8Array() });
    expect(retries).toEqual([]);
  });

  it('hold for a body without end', async () => {
    let closed = false;
    const { server, http } = await start((_, response, request) => {
      request.socket.on('close', () => {
        closed = true;
      });
      const more = () => {
        if (!response.destroyed) response.write(Buffer.alloc(65_536), () => setImmediate(more));
      };
      more();
    });
    await expect(http.request({ url: server.url, limit: 1_000_000 })).rejects.toMatchObject({
      code: 'answer-invalid',
    });
    await expect.poll(() => closed).toBe(true);
  });

  it('hold for a packed body without end, and its connection is closed', async () => {
    let closed = false;
    const { server, http } = await start((_, response, request) => {
      request.socket.on('close', () => {
        closed = true;
      });
      const gzip = createGzip();
      gzip.pipe(response.setHeader('content-encoding', 'gzip'));
      const block = randomBytes(65_536);
      const more = () => {
        if (!closed) gzip.write(block, () => setImmediate(more));
      };
      more();
    });
    await expect(http.request({ url: server.url, limit: 1_000_000 })).rejects.toMatchObject({
      code: 'answer-invalid',
    });
    await expect.poll(() => closed).toBe(true);
  });

  it('take exactly as many bytes as allowed', async () => {
    const { server, http } = await start((_, response) => response.end('x'.repeat(100)));
    expect((await http.request({ url: server.url, limit: 100 })).body).toHaveLength(100);
    await expect(
      http.request({ url: server.url, limit: 99, codes: { invalid: 'manifest-invalid' } }),
    ).rejects.toMatchObject({ code: 'manifest-invalid' });
  });

  it('decode what was asked for, and give bytes verbatim where a digest is checked', async () => {
    const packed = gzipSync('hello');
    const { server, http } = await start((_, response) =>
      response.setHeader('content-encoding', 'gzip').end(packed),
    );
    expect((await http.request({ url: server.url })).text()).toBe('hello');
    expect(Buffer.from((await http.request({ url: server.url, verbatim: true })).body)).toEqual(packed);
    expect(server.seen.map((seen) => seen.headers['accept-encoding'])).toEqual(['gzip', 'identity']);
  });

  it.each([
    ['xz', 'unknown encoding'],
    ['gzip', 'decompressed'],
  ])('refuse what cannot be decoded as %s', async (encoding, why) => {
    const { server, http } = await start((_, response) =>
      response.setHeader('content-encoding', encoding).end('not packed at all'),
    );
    await expect(http.request({ url: server.url })).rejects.toMatchObject({
      code: 'answer-invalid',
      message: expect.stringContaining(why),
    });
    expect(server.seen).toHaveLength(1);
  });
});

describe('retries', () => {
  const html = '<!DOCTYPE html><html>This page is taking too long to load</html>';

  it.each([408, 429, 500, 502, 503, 504])('follow a %i, also one with HTML, and are told', async (status) => {
    const { server, http, retries } = await start((_, response) => {
      if (server.seen.length < 6) response.writeHead(status, { 'content-type': 'text/html' }).end(html);
      else response.end('ok');
    });
    expect((await http.request({ url: `${server.url}/x?sig=1` })).text()).toBe('ok');
    expect(retries.map((retry) => [retry.what, retry.why, retry.attempt])).toEqual(
      [1, 2, 3, 4, 5].map((n) => [`GET ${server.url}/x`, `answered ${status}`, n]),
    );
  });

  it('end after six tries with the last answer', async () => {
    const { server, http, clock } = await start((_, response) => response.writeHead(503).end(html));
    expect(await http.request({ url: server.url })).toMatchObject({ status: 503 });
    expect(server.seen).toHaveLength(6);
    expect(clock.slept).toHaveLength(5);
  });

  it('honour Retry-After, up to two minutes', async () => {
    const { server, http, clock } = await start((_, response) => {
      const after = ['3', '86400'][server.seen.length - 1];
      if (after === undefined) response.end();
      else response.writeHead(429, { 'retry-after': after }).end();
    });
    await http.request({ url: server.url });
    expect(clock.slept).toEqual([3000, 120_000]);
  });

  it.each([400, 401, 403, 404, 409, 412, 501])('do not follow a %i', async (status) => {
    const { server, http } = await start((_, response) => response.writeHead(status).end());
    expect(await http.request({ url: server.url })).toMatchObject({ status });
    expect(server.seen).toHaveLength(1);
  });

  it('follow a reset, an end before the answer, in the headers and in the body', async () => {
    const { server, http, retries } = await start((_, response, request) => {
      switch (server.seen.length) {
        case 1:
          return request.socket.resetAndDestroy();
        case 2:
          return request.socket.end();
        case 3:
          return request.socket.end('HTTP/1.1 200 OK\r\nContent-Le');
        case 4:
          return request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
        case 5:
          return request.socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
        default:
          return response.end('whole');
      }
    });
    expect((await http.request({ url: server.url })).text()).toBe('whole');
    expect(retries).toHaveLength(5);
  });

  it('follow a truncated gzip', async () => {
    const packed = gzipSync(Buffer.from('hello '.repeat(1000)));
    const { server, http } = await start((_, response) =>
      response
        .setHeader('content-encoding', 'gzip')
        .end(server.seen.length < 2 ? packed.subarray(0, 20) : packed),
    );
    expect((await http.request({ url: server.url })).text()).toContain('hello');
    expect(server.seen).toHaveLength(2);
  });

  it("follow nobody listening, and end as unreachable with the caller's code", async () => {
    const { server, http, retries } = await start(() => {});
    await server.close();
    await expect(
      http.request({ url: `${server.url}/x?token=abc`, codes: { unreachable: 'registry-unreachable' } }),
    ).rejects.toMatchObject({
      code: 'registry-unreachable',
      message: `GET ${server.url}/x got no answer: connection refused.`,
    });
    expect(retries).toHaveLength(5);
  });

  it('do not repeat a POST that may have been carried out, unless told that this is harmless', async () => {
    const { server, http } = await start((_, response, request) => {
      if (server.seen.length % 2 === 1) request.socket.resetAndDestroy();
      else response.end('ok');
    });
    await expect(http.request({ url: server.url, method: 'POST' })).rejects.toMatchObject({
      code: 'cannot-determine',
    });
    expect(server.seen).toHaveLength(1);
    await http.request({ url: server.url, method: 'POST' });
    expect((await http.request({ url: server.url, method: 'POST', idempotent: true })).text()).toBe('ok');
  });

  it('do not repeat a POST after a server error either', async () => {
    const { server, http } = await start((_, response) => response.writeHead(502).end());
    expect(await http.request({ url: server.url, method: 'POST' })).toMatchObject({ status: 502 });
    expect(server.seen).toHaveLength(1);
  });

  it('repeat a POST that was certainly not carried out', async () => {
    const { server, http } = await start((_, response) =>
      response.writeHead(server.seen.length < 2 ? 429 : 200).end(),
    );
    expect(await http.request({ url: server.url, method: 'POST' })).toMatchObject({ status: 200 });
  });

  it('follow what the caller calls transient', async () => {
    const { server, http } = await start((_, response) =>
      response.writeHead(server.seen.length < 3 ? 404 : 200).end('blob upload invalid'),
    );
    const transient = (response: { text(): string; status: number }) =>
      response.status === 404 && response.text().includes('upload invalid');
    expect(await http.request({ url: server.url, transient })).toMatchObject({ status: 200 });
  });
});

describe('time', () => {
  it('without a byte breaks a try', async () => {
    const { server, http, retries } = await start((_, response) => {
      if (server.seen.length < 2) response.writeHead(200).write('half');
      else response.end('whole');
    });
    expect((await http.request({ url: server.url, idle: 200 })).text()).toBe('whole');
    expect(retries).toMatchObject([{ why: 'answer stalled' }]);
  });

  it('ends in the middle of a try', async () => {
    const { server, http } = await start((_, response) => void response.writeHead(200).write('half'));
    await expect(http.request({ url: server.url, deadline: 200 })).rejects.toMatchObject({
      code: 'cannot-determine',
      message: expect.stringContaining('no time left'),
    });
  });

  it('ends as cancelled when somebody says so, in a try and before it', async () => {
    const { server, http } = await start((_, response) => void response.writeHead(200).write('half'));
    const controller = new AbortController();
    const running = http.request({ url: server.url, signal: controller.signal });
    await expect.poll(() => server.seen.length).toBe(1);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    await expect(http.request({ url: server.url, signal: controller.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(server.seen).toHaveLength(1);
  });

  it('ends as cancelled with the run', async () => {
    const controller = new AbortController();
    const { server, http } = await start((_, response) => void response.writeHead(200).write('half'), {
      signal: controller.signal,
    });
    const running = http.request({ url: server.url });
    await expect.poll(() => server.seen.length).toBe(1);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('redirects', () => {
  it('steal no credentials', async () => {
    const thief = await serve((_, response) => response.end('loot'));
    open.push(thief);
    const { server, http } = await start((_, response) =>
      response.writeHead(307, { location: `${thief.url}/b` }).end('moved'),
    );
    const response = await http.request({
      url: server.url,
      authorization: 'Bearer s',
      headers: { 'X-Token': 's', Cookie: 's', accept: 'a/b' },
    });
    expect(response).toMatchObject({ status: 200, url: `${thief.url}/b` });
    expect(thief.seen[0]!.headers).toMatchObject({ accept: 'a/b' });
    for (const name of ['authorization', 'x-token', 'cookie'])
      expect(thief.seen[0]!.headers).not.toHaveProperty(name);
    expect(server.seen[0]!.headers).toMatchObject({ authorization: 'Bearer s', 'x-token': 's' });
  });

  it('are bounded', async () => {
    const { server, http } = await start((_, response) =>
      response.writeHead(302, { location: '/again' }).end(),
    );
    await expect(http.request({ url: server.url })).rejects.toMatchObject({
      code: 'answer-invalid',
      message: expect.stringContaining('too often'),
    });
    expect(server.seen).toHaveLength(6);
    server.seen.length = 0;
    await expect(http.request({ url: server.url, redirects: 0 })).rejects.toMatchObject({
      code: 'answer-invalid',
    });
    expect(server.seen).toHaveLength(1);
  });

  it('do not carry a body to another origin', async () => {
    const thief = await serve((_, response) => response.end());
    open.push(thief);
    const { server, http } = await start((_, response) =>
      response.writeHead(307, { location: thief.url }).end(),
    );
    await expect(http.request({ url: server.url, method: 'POST', body: 'secret' })).rejects.toMatchObject({
      code: 'answer-invalid',
    });
    expect(thief.seen).toHaveLength(0);
  });

  it('keep the body within the origin', async () => {
    const { server, http } = await start((seen, response) =>
      seen.path === '/' ? response.writeHead(308, { location: '/b' }).end() : response.end(seen.body),
    );
    expect((await http.request({ url: server.url, method: 'PUT', body: 'x' })).text()).toBe('x');
  });
});

describe('a proxy', () => {
  it('is used by tunnel for https and by request for plain HTTP, and never for this machine', async () => {
    const { server } = await start((seen, response) => response.end(`proxied ${seen.path}`));
    const proxied = createHttp({
      clock: instantClock(),
      insecure: ['plain.invalid'],
      proxy: { http: server.url, https: server.url },
    });
    open.push(proxied);
    expect((await proxied.request({ url: 'http://plain.invalid/x' })).text()).toBe(
      'proxied http://plain.invalid/x',
    );
    expect((await proxied.request({ url: `${server.url}/direct` })).text()).toBe('proxied /direct');
  });

  it('gets a CONNECT for https, with its own credentials; its refusal is told', async () => {
    const { createServer } = await import('node:http');
    const heads: (string | undefined)[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      heads.push(`${request.url} ${request.headers['proxy-authorization']}`);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as { port: number };
    const http = createHttp({ clock: instantClock(), proxy: { https: `http://u:p@127.0.0.1:${port}` } });
    open.push(http);
    await expect(
      http.request({ url: 'https://registry.invalid/x', authorization: 'Bearer s' }),
    ).rejects.toMatchObject({
      code: 'cannot-determine',
      message: expect.stringContaining('403'),
    });
    expect(heads).toEqual([`registry.invalid:443 Basic ${Buffer.from('u:p').toString('base64')}`]);
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });
});

it('plain HTTP to another machine is refused before anything is sent', async () => {
  const { http } = await start(() => {});
  await expect(http.request({ url: 'http://ghcr.io/v2/' })).rejects.toMatchObject({ code: 'plain-http' });
});

it('an unknown name or a server that speaks no TLS is told at once, not tried again', async () => {
  const { server, http, retries } = await start(() => {});
  await expect(http.request({ url: `https://${server.host}/` })).rejects.toMatchObject({
    code: 'cannot-determine',
  });
  await expect(http.request({ url: 'https://no-such-host.invalid/' })).rejects.toMatchObject({
    code: 'cannot-determine',
  });
  expect(retries.filter((retry) => !retry.why.includes('resolved'))).toEqual([]);
});

it('closing ends what is under way, without another try', async () => {
  let asked: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const { server, http, retries } = await start(() => asked());
  const answer = http.request({ url: server.url });
  await waiting;
  await http.close();
  await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
  expect(retries).toEqual([]);
});
