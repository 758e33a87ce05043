import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createPlainServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { command } from '../../../sandbox/command.ts';
import { createHttp } from '../../../src/http/client.ts';
import type { HttpOptions, Retry } from '../../../src/http/http.ts';
import { serveProxy } from './proxy-server.ts';
import { instantClock } from './server.ts';

let folder: string;
let pair: { key: Buffer; cert: Buffer };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'knowngood-tls-'));
  const [keyFile, certFile] = [join(folder, 'key'), join(folder, 'cert')];
  const kind = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '30',
  ];
  const names = ['-subj', '/CN=registry.invalid', '-addext', 'subjectAltName=DNS:registry.invalid'];
  await command(['openssl', 'req', ...kind, '-keyout', keyFile, '-out', certFile, ...names]);
  pair = { key: readFileSync(keyFile), cert: readFileSync(certFile) };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open: { close(): unknown }[] = [];
afterEach(async () => {
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** A TLS server, a proxy before it, and our client that is told of the proxy only. */
async function start(
  answer?: (nth: number) => number | undefined,
  options: Partial<HttpOptions> & { user?: string } = {},
) {
  const seen: IncomingHttpHeaders[] = [];
  const server = createTlsServer(pair, (request, response) => {
    seen.push(request.headers);
    response.end(`${request.method} ${request.url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy = await serveProxy({ to: port, ...(answer === undefined ? {} : { answer }) });
  const retries: Retry[] = [];
  const http = createHttp({
    clock: instantClock(),
    onRetry: (retry) => retries.push(retry),
    proxy: { https: `http://${options.user ?? ''}127.0.0.1:${proxy.port}` },
    ...options,
  });
  open.push(http, proxy, {
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return { seen, proxy, http, retries };
}

/** Node trusts our certificate for this test; with it, only the way is under test. */
const trusting = () => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
};

describe('a tunnel', () => {
  it('carries requests over one kept connection, and keeps the two logins apart', async () => {
    trusting();
    const { seen, proxy, http } = await start(undefined, { user: 'us%40er:p%3Aw@' });
    for (const path of ['/a', '/b', '/c']) {
      const answer = await http.request({
        url: `https://registry.invalid${path}`,
        authorization: 'Bearer s',
      });
      expect(answer.text()).toBe(`GET ${path}`);
    }
    expect(proxy.asked.map(({ target }) => target)).toEqual(['registry.invalid:443']);
    expect(proxy.asked[0]!.headers).toMatchObject({
      host: 'registry.invalid:443',
      'proxy-authorization': `Basic ${Buffer.from('us@er:p:w').toString('base64')}`,
    });
    expect(proxy.asked[0]!.headers).not.toHaveProperty('authorization');
    expect(seen[0]).toMatchObject({ host: 'registry.invalid', authorization: 'Bearer s' });
    expect(seen[0]).not.toHaveProperty('proxy-authorization');
  });

  it('is made no more often than there may be connections, however many ask at once', async () => {
    trusting();
    const { seen, proxy, http } = await start(undefined, { connections: 3 });
    await Promise.all(
      Array.from({ length: 30 }, (_, nth) => http.request({ url: `https://registry.invalid/${nth}` })),
    );
    expect(seen).toHaveLength(30);
    expect(proxy.most()).toBe(3);
  });

  it('does not make a certificate good', async () => {
    const { seen, http, retries } = await start();
    await expect(
      http.request({ url: 'https://registry.invalid/', authorization: 'Bearer s' }),
    ).rejects.toMatchObject({ code: 'cannot-determine', message: expect.stringMatching(/certificate/) });
    expect(seen).toEqual([]);
    expect(retries).toEqual([]);
  });

  it('that the proxy cannot make now is asked for again, also for a POST, which nobody has seen', async () => {
    trusting();
    const { seen, http, retries } = await start((nth) => (nth < 3 ? 503 : 200));
    const answer = await http.request({ url: 'https://registry.invalid/', method: 'POST', body: 'x' });
    expect(answer.status).toBe(200);
    expect(retries.map(({ why }) => why)).toEqual([
      'the proxy could not reach it',
      'the proxy could not reach it',
    ]);
    expect(seen).toHaveLength(1);
  });

  it.each([403, 407])('that the proxy refuses with %i is an error at once', async (status) => {
    const { http, retries } = await start(() => status);
    await expect(http.request({ url: 'https://registry.invalid/' })).rejects.toMatchObject({
      code: 'cannot-determine',
      message: expect.stringContaining(`the proxy answered ${status}`),
    });
    expect(retries).toEqual([]);
  });

  it('that never comes ends with the client, and holds no place', async () => {
    const { proxy, http } = await start(() => undefined, { connections: 1 });
    const first = http.request({ url: 'https://registry.invalid/', deadline: 300 });
    await expect(first).rejects.toMatchObject({ message: expect.stringContaining('no time left') });
    const second = http.request({ url: 'https://registry.invalid/', deadline: 300 });
    await expect(second).rejects.toMatchObject({ code: 'cannot-determine' });
    expect(proxy.asked).toHaveLength(2);
    // Below the limit for making a connection, which must not be waited for.
  }, 10_000);
});

describe('plain HTTP through a proxy', () => {
  it('is a request to the proxy, with its login, and the target in line and Host', async () => {
    const seen: { line: string; headers: IncomingHttpHeaders }[] = [];
    const proxy = createPlainServer((request, response) => {
      seen.push({ line: `${request.method} ${request.url}`, headers: request.headers });
      response.end('ok');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const http = createHttp({
      clock: instantClock(),
      insecure: ['plain.invalid:5000'],
      proxy: { http: `http://u:p@127.0.0.1:${port}` },
    });
    open.push(http, { close: () => proxy.closeAllConnections() }, { close: () => proxy.close() });
    await http.request({ url: 'http://plain.invalid:5000/v2/?n=1', authorization: 'Basic t' });
    expect(seen).toMatchObject([
      {
        line: 'GET http://plain.invalid:5000/v2/?n=1',
        headers: {
          host: 'plain.invalid:5000',
          authorization: 'Basic t',
          'proxy-authorization': `Basic ${Buffer.from('u:p').toString('base64')}`,
        },
      },
    ]);
  });
});
