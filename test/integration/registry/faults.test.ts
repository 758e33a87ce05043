import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Fault, type FaultProxy, faultProxy, type Sandbox, sandbox } from '../../../sandbox/index.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { at, client, judge, push, tagged, testImage } from './client.ts';

const html = '<!DOCTYPE html><html><body>This page is taking too long to load.</body></html>';
const error = (code: string, message = '') => JSON.stringify({ errors: [{ code, message }] });
const page = (status: number) => ({ status, headers: { 'content-type': 'text/html' }, body: html });
const told = (status: number, code: string, message = '') => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: error(code, message),
});

const hashOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;

let box: Sandbox;
let proxy: FaultProxy;
let host: string;
beforeAll(async () => {
  box = await sandbox({ engine: 'none' });
  proxy = await faultProxy(box.registry.host, { seed: 20 });
  host = proxy.host;
});
beforeEach(() => proxy.clear());
afterAll(async () => {
  await proxy?.stop();
  await box?.stop();
});

const hows: readonly NonNullable<Fault['how']>[] = [
  page(500),
  page(502),
  page(503),
  page(504),
  { status: 408 },
  { status: 429, headers: { 'retry-after': '2' } },
  told(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry'),
  'reset',
  'reset-mid-body',
  'cut-after',
];

describe('transient faults', () => {
  it('of a fifth of all requests, in every form: 50 pushes all end right', async () => {
    const failed: unknown[] = [];
    let faults = 0;
    for (let i = 0; i < 50; i++) {
      proxy.clear();
      // A lost upload is told to uploads only; to others it would be an answer.
      for (const how of hows) {
        const upload = typeof how === 'object' && 'body' in how && how.body.includes('BLOB_UPLOAD');
        proxy.fault({
          how,
          times: Number.POSITIVE_INFINITY,
          probability: 1 - 0.8 ** (1 / hows.length),
          ...(upload ? { method: /PUT|PATCH/, path: /uploads/ } : {}),
        });
      }
      const { registry } = client();
      const image = await testImage(`push ${i}`);
      const reference = tagged(host, `faults/fifty-${i % 5}`, `1.0.${i}`);
      try {
        expect(await push(registry, reference, image)).toBe(image.digest);
        expect(await registry.head(reference)).toMatchObject({ digest: image.digest });
      } catch (caught) {
        failed.push(caught);
      }
      faults += proxy.requests.filter((request) => request.fault !== undefined).length;
    }
    proxy.clear();
    expect(failed).toEqual([]);
    expect(faults).toBeGreaterThan(50);
    for (let i = 0; i < 50; i++)
      await judge(
        box,
        'crane',
        'validate',
        '--insecure',
        '--remote',
        `${host}/faults/fifty-${i % 5}:1.0.${i}`,
      );
  }, 300_000);

  it.each(
    hows.map(
      (how) => [typeof how === 'object' ? JSON.stringify(how).slice(0, 60) : String(how), how] as const,
    ),
  )(
    '%s, once in each kind of request of a push in pieces',
    async (_, how) => {
      const bytes = randomBytes(40 * 1024 * 1024);
      const digest = hashOf(bytes);
      proxy.fault({
        method: 'POST',
        path: /uploads/,
        how: typeof how === 'object' && how.status === 404 ? page(503) : how,
      });
      proxy.fault({ method: 'PATCH', after: 1, how });
      proxy.fault({ method: 'PUT', path: /digest=/, how });
      const { registry, retries } = client();
      await registry.putBlob(at(host, 'faults/pieces'), digest, bytes);
      expect(await registry.blobExists(at(host, 'faults/pieces'), digest)).toBe(true);
      // An answer without a body cannot be cut in its middle.
      expect(retries.length).toBeGreaterThanOrEqual(how === 'reset-mid-body' ? 0 : 2);
    },
    120_000,
  );

  it.each([
    [0, ['0-16777215', '0-16777215', '16777216-33554431', '33554432-41943039']],
    [1, ['0-16777215', '16777216-33554431', '16777216-33554431', '33554432-41943039']],
  ])('before piece %i arrives cost that piece only', async (after, expected) => {
    const bytes = randomBytes(40 * 1024 * 1024);
    proxy.fault({ method: 'PATCH', after, how: 'reset' });
    await client().registry.putBlob(at(host, 'faults/resumed'), hashOf(bytes), bytes);
    const pieces = proxy.requests.filter(({ method }) => method === 'PATCH');
    expect(pieces.map(({ headers }) => headers['content-range'])).toEqual(expected);
    expect(proxy.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('after a whole blob has arrived cost a look', async () => {
    const bytes = randomBytes(1000);
    proxy.fault({ method: 'PUT', how: 'cut-after' });
    await client().registry.putBlob(at(host, 'faults/whole-closed'), hashOf(bytes), bytes);
    expect(proxy.requests.map(({ method }) => method)).toEqual(['HEAD', 'POST', 'PUT', 'HEAD']);
  });

  it('in which a registry doubts a digest that we know to be right are passing', async () => {
    const image = await testImage('doubt');
    proxy.fault({ method: 'PUT', path: /manifests/, how: told(400, 'DIGEST_INVALID') });
    proxy.fault({ method: 'PUT', path: /uploads/, how: told(400, 'DIGEST_INVALID') });
    expect(await push(client().registry, tagged(host, 'faults/doubt', '1'), image)).toBe(image.digest);
  });

  it('after all pieces have arrived cost a look', async () => {
    const bytes = randomBytes(20 * 1024 * 1024);
    proxy.fault({ method: 'PUT', how: 'cut-after' });
    await client().registry.putBlob(at(host, 'faults/closed'), hashOf(bytes), bytes);
    const methods = proxy.requests.map(({ method }) => method);
    expect(methods).toEqual(['HEAD', 'POST', 'PATCH', 'PATCH', 'PUT', 'HEAD']);
  });

  it('that do not end are given up after six tries, as what they are', async () => {
    const image = await testImage('never');
    proxy.fault({ method: 'PUT', path: /manifests/, times: Number.POSITIVE_INFINITY, how: page(503) });
    const { registry, retries } = client();
    const reference = tagged(host, 'faults/never', '1');
    await expect(push(registry, reference, image)).rejects.toMatchObject({
      code: 'registry-failed',
      outcome: 'error',
      message: expect.stringContaining('This page is taking too long'),
    });
    expect(retries).toHaveLength(5);
    expect(
      proxy.requests.filter(({ method, path }) => method === 'PUT' && path.includes('manifests')),
    ).toHaveLength(6);
    proxy.clear();
    // A push that was broken off leaves no tag.
    expect(await registry.head(reference)).toBeUndefined();
  });

  it('never make a tag look free', async () => {
    const image = await testImage('taken');
    const reference = tagged(host, 'faults/taken', '1');
    await push(client().registry, reference, image);
    for (const how of [
      page(404),
      page(503),
      { status: 404, body: '404 page not found\n' },
      { status: 404 },
      'reset',
    ] as const) {
      proxy.clear();
      proxy.fault({ path: /taken/, times: Number.POSITIVE_INFINITY, how });
      for (const ask of ['head', 'manifest', 'contents', 'resolve'] as const) {
        await expect(client().registry[ask](reference)).rejects.toMatchObject({ outcome: 'error' });
      }
      await expect(client().registry.tags(reference)).rejects.toMatchObject({ outcome: 'error' });
      await expect(
        client().registry.blobExists(reference, image.config.digest as Digest),
      ).rejects.toMatchObject({ outcome: 'error' });
    }
  });

  it('of a registry that is gone are told as unreachable', async () => {
    const gone = await faultProxy(box.registry.host);
    await gone.stop();
    await expect(client().registry.head(tagged(gone.host, 'a', '1'))).rejects.toMatchObject({
      code: 'registry-unreachable',
    });
  });
});

describe('a push that is killed', () => {
  it.each([
    ['in the first blob', 0],
    ['in the second blob', 1],
    ['in the manifest', 2],
  ])('%s leaves no tag', async (_, after) => {
    const image = await testImage('killed');
    const reference = tagged(host, `faults/killed-${after}`, '1');
    proxy.fault({ method: 'PUT', after, how: 'hang' });
    const controller = new AbortController();
    const { registry } = client({}, {}, controller.signal);
    const running = push(registry, reference, image);
    running.catch(() => {});
    await expect.poll(() => proxy.requests.some((request) => request.fault !== undefined)).toBe(true);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    proxy.clear();
    expect(await client().registry.head(reference)).toBeUndefined();
    expect(await push(client().registry, reference, image)).toBe(image.digest);
  });
});

describe('a refusal', () => {
  it.each([
    ['write_package', told(403, 'DENIED', 'permission_denied: write_package'), 'Manage Actions access'],
    [
      'organisation',
      told(403, 'DENIED', 'installation not allowed to Create organization package'),
      'permissions: packages: write',
    ],
    ['401', told(401, 'UNAUTHORIZED'), 'forks have no credentials'],
  ])('of permission (%s) ends at the first try, with its remedy', async (_, how, remedy) => {
    const image = await testImage('denied');
    proxy.fault({ method: 'POST', times: Number.POSITIVE_INFINITY, how });
    const { registry, retries, clock } = client();
    await expect(push(registry, tagged(host, 'faults/denied', '1'), image)).rejects.toMatchObject({
      code: 'registry-denied',
      remedy: expect.stringContaining(remedy),
    });
    expect(proxy.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect(retries).toEqual([]);
    expect(clock.slept).toEqual([]);
  });

  it('in the middle of an upload ends it at once, too', async () => {
    proxy.fault({ method: 'PATCH', times: Number.POSITIVE_INFINITY, how: told(403, 'DENIED') });
    const bytes = randomBytes(20 * 1024 * 1024);
    const digest = hashOf(bytes);
    const { registry, retries } = client();
    await expect(registry.putBlob(at(host, 'faults/denied'), digest, bytes)).rejects.toMatchObject({
      code: 'registry-denied',
    });
    expect(retries).toEqual([]);
    expect(proxy.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
  });

  it.each([
    [
      'ECR',
      told(
        400,
        'TAG_INVALID',
        "The image tag '1' already exists and cannot be overwritten because the repository is immutable.",
      ),
    ],
    ['Harbor', told(412, 'PRECONDITION', 'configured as immutable')],
    ['409', told(409, 'UNKNOWN')],
  ])('of an immutable tag (%s) is a conflict', async (_, how) => {
    const image = await testImage('immutable');
    proxy.fault({ method: 'PUT', path: /manifests\/1$/, how });
    const { registry, retries } = client();
    await expect(push(registry, tagged(host, 'faults/immutable', '1'), image)).rejects.toMatchObject({
      code: 'dest-tag-conflict',
      outcome: 'refused',
    });
    expect(retries).toEqual([]);
  });

  it('of unknown kind fails closed, with status, host and text', async () => {
    const image = await testImage('unknown');
    proxy.fault({
      method: 'PUT',
      path: /manifests/,
      how: { status: 418, body: `teapot ${'x'.repeat(500)}` },
    });
    await expect(push(client().registry, tagged(host, 'faults/unknown', '1'), image)).rejects.toMatchObject({
      code: 'registry-failed',
      message: expect.stringMatching(new RegExp(`${host}.*answered 418: teapot x{193}…`)),
    });
  });

  it('of pieces makes it send the whole', async () => {
    proxy.fault({ method: 'PATCH', times: Number.POSITIVE_INFINITY, how: told(405, 'UNSUPPORTED') });
    const bytes = randomBytes(20 * 1024 * 1024);
    const digest = hashOf(bytes);
    const { registry } = client();
    await registry.putBlob(at(host, 'faults/whole'), digest, bytes);
    expect(await registry.blobExists(at(host, 'faults/whole'), digest)).toBe(true);
  });

  it('a success that is none is no success', async () => {
    const image = await testImage('portal');
    proxy.fault({ method: 'PUT', path: /manifests/, how: page(200) });
    await expect(push(client().registry, tagged(host, 'faults/portal', '1'), image)).rejects.toMatchObject({
      code: 'registry-failed',
    });
  });
});
