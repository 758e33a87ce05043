import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { makeImageManifest, makeIndex } from '../../../src/oci/manifest-bytes.ts';
import { ociConfig, ociIndex, ociManifest } from '../../../src/oci/media-types.ts';
import { type Seen, serve, type TestServer } from '../http/server.ts';
import { at, bytesOf, client, digestOf, tagged } from './client.ts';

// Registries that lie: servers of the test, because no real one would.
const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
async function hostile(answer: (seen: Seen, response: ServerResponse) => void): Promise<TestServer> {
  const server = await serve(answer);
  servers.push(server);
  return server;
}

const account = { username: 'robot', password: 'canary-password' };
const config = bytesOf({ os: 'linux', architecture: 'amd64', config: { Labels: { a: 'b' } } });
const image = makeImageManifest({
  config: { mediaType: ociConfig, digest: digestOf(config), size: config.length },
  layers: [],
});

/** Serves these bodies by path, manifests with their type. */
function catalogue(
  entries: Readonly<Record<string, { bytes: Uint8Array; type?: string; headers?: Record<string, string> }>>,
) {
  return (seen: Seen, response: ServerResponse) => {
    const entry = Object.entries(entries).find(([path]) => seen.path.includes(path))?.[1];
    if (entry === undefined)
      return response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    return response
      .writeHead(200, { 'content-type': entry.type ?? ociManifest, ...entry.headers })
      .end(entry.bytes);
  };
}

describe('credentials', () => {
  it('are not given to a token server on another host', async () => {
    const thief = await hostile((_, response) => response.end('{"token":"t"}'));
    const registry = await hostile((_, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${thief.url}/token",service="x"` }).end(),
    );
    for (const accounts of [
      { [registry.host]: account },
      { [registry.host]: account, 'ghcr.io': account },
      {},
    ]) {
      const ask = client(accounts).registry.head(tagged(registry.host, 'a/b', '1'));
      await expect(ask).rejects.toMatchObject({
        code: 'registry-denied',
        message: expect.stringContaining(thief.host),
      });
    }
    expect(thief.seen).toEqual([]);
  });

  it('are given to one that the user named', async () => {
    const issuer = await hostile((_, response) => response.end('{"access_token":"good","expires_in":60}'));
    const registry = await hostile((seen, response) => {
      if (seen.headers.authorization === 'Bearer good')
        return catalogue({ 'manifests/1': { bytes: image.bytes } })(seen, response);
      return response
        .writeHead(401, {
          'www-authenticate': `Bearer realm="${issuer.url}/token?a=b",service="s s",scope="repository:evil:pull"`,
        })
        .end();
    });
    const { registry: ours } = client({ [registry.host]: account }, { trustedRealms: [issuer.host] });
    expect(await ours.manifest(tagged(registry.host, 'a/b', '1'))).toMatchObject({ digest: image.digest });
    expect(issuer.seen.map((seen) => seen.path)).toEqual([
      '/token?a=b&service=s+s&scope=repository%3Aa%2Fb%3Apull',
    ]);
  });

  it('of one host are not sent to another', async () => {
    const other = await hostile((_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    );
    const { registry } = client({ 'ghcr.io': account, '127.0.0.1': account });
    await expect(registry.head(tagged(other.host, 'a/b', '1'))).rejects.toMatchObject({
      code: 'registry-denied',
    });
    expect(other.seen.map((seen) => seen.headers.authorization)).toEqual(other.seen.map(() => undefined));
  });

  it('are not stolen by a redirect of a manifest, a blob or the token server', async () => {
    const thief = await hostile((_, response) => response.end('loot'));
    const registry = await hostile((seen, response) => {
      if (seen.path.startsWith('/token'))
        return response.writeHead(307, { location: `${thief.url}/token` }).end();
      if (seen.headers.authorization === undefined)
        return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return response.writeHead(307, { location: `${thief.url}${seen.path}` }).end();
    });
    const { registry: ours } = client({ [registry.host]: account });
    await expect(ours.manifest(tagged(registry.host, 'a/b', '1'))).rejects.toMatchObject({
      code: 'manifest-invalid',
    });
    await expect(ours.blob(at(registry.host, 'a/b'), digestOf('x'))).rejects.toMatchObject({
      code: 'manifest-invalid',
    });
    const bearer = await hostile((seen, response) =>
      seen.path.startsWith('/token')
        ? response.writeHead(307, { location: `${thief.url}/token` }).end()
        : response
            .writeHead(401, { 'www-authenticate': `Bearer realm="http://${seen.headers.host}/token"` })
            .end(),
    );
    await expect(
      client({ [bearer.host]: account }).registry.head(tagged(bearer.host, 'a', '1')),
    ).rejects.toMatchObject({ outcome: 'error' });
    expect(thief.seen.length).toBe(3);
    for (const seen of thief.seen) expect(JSON.stringify(seen)).not.toMatch(/authorization|canary/i);
  });

  it('do not follow an upload to another host, nor does the blob', async () => {
    const thief = await hostile((_, response) => response.writeHead(201).end());
    const registry = await hostile((seen, response) =>
      seen.method === 'POST'
        ? response.writeHead(202, { location: `${thief.url}/upload` }).end()
        : response.writeHead(404).end(),
    );
    const put = client().registry.putBlob(
      at(registry.host, 'a/b'),
      digestOf('secret layer'),
      bytesOf('secret layer'),
    );
    await expect(put).rejects.toMatchObject({
      code: 'registry-failed',
      message: expect.stringContaining('elsewhere'),
    });
    expect(thief.seen).toEqual([]);
  });

  it('do not follow the next page of a list to another host or repository', async () => {
    for (const next of [
      'http://localhost:1/v2/a/b/tags/list?n=2',
      '/v2/other/tags/list?n=2',
      '/v2/a/b/../../other/tags/list',
    ]) {
      const registry = await hostile((_, response) =>
        response.writeHead(200, { link: `<${next}>; rel="next"` }).end('{"tags":["1"]}'),
      );
      await expect(client().registry.tags(at(registry.host, 'a/b'))).rejects.toMatchObject({
        code: 'registry-failed',
        message: expect.stringContaining('elsewhere'),
      });
      expect(registry.seen).toHaveLength(1);
    }
  });

  it('come back in no message', async () => {
    const registry = await hostile((seen, response) => {
      if (seen.headers.authorization === undefined)
        return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return response.writeHead(403).end(`you are ${seen.headers.authorization}`);
    });
    const masked: string[] = [];
    const redact = (text: string) =>
      masked.reduce((result, secret) => result.replaceAll(secret, '***'), text);
    const { registry: ours } = client(
      { [registry.host]: account },
      { mask: (secret) => masked.push(secret) },
      undefined,
      redact,
    );
    const failure = await ours.manifest(tagged(registry.host, 'a', '1')).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'registry-denied',
      message: expect.stringContaining('you are Basic ***'),
    });
  });

  it('a token that is no header is not used', async () => {
    for (const token of ['a b', 'a\\r\\nX-Evil: 1', '', 'ä']) {
      const registry = await hostile((seen, response) =>
        seen.path.startsWith('/token')
          ? response.end(`{"token":"${token}"}`)
          : response
              .writeHead(401, { 'www-authenticate': `Bearer realm="http://${seen.headers.host}/token"` })
              .end(),
      );
      await expect(client().registry.head(tagged(registry.host, 'a', '1'))).rejects.toMatchObject({
        code: 'registry-failed',
      });
    }
  });
});

describe('bytes', () => {
  const big = makeIndex({ manifests: [], annotations: { a: 'x'.repeat(4 * 1024 * 1024) } });
  const listOf = (mediaType: string) =>
    makeIndex({ manifests: [{ mediaType, digest: image.digest, size: image.bytes.length }] });

  it.each<[string, Parameters<typeof catalogue>[0]]>([
    ['a manifest of more than 4 MiB', { 'manifests/1': { bytes: big.bytes, type: ociIndex } }],
    [
      'a decompression bomb',
      {
        'manifests/1': {
          bytes: gzipSync(Buffer.alloc(100_000_000)),
          headers: { 'content-encoding': 'gzip' },
        },
      },
    ],
    [
      'a digest that it does not have',
      { 'manifests/1': { bytes: image.bytes, headers: { 'docker-content-digest': digestOf('other') } } },
    ],
    ['another kind than it is served as', { 'manifests/1': { bytes: image.bytes, type: ociIndex } }],
    [
      'double keys',
      {
        'manifests/1': {
          bytes: bytesOf(`{"schemaVersion":2,"config":{},${new TextDecoder().decode(image.bytes).slice(1)}`),
        },
      },
    ],
    [
      'a config that is not its digest',
      { 'manifests/1': { bytes: image.bytes }, 'blobs/': { bytes: bytesOf('{"os":"linux"}') } },
    ],
    [
      'a config with double labels',
      (() => {
        const bytes = bytesOf('{"config":{"Labels":{"v":"1","v":"2"}}}');
        const made = makeImageManifest({
          config: { mediaType: ociConfig, digest: digestOf(bytes), size: bytes.length },
          layers: [],
        });
        return { 'manifests/1': { bytes: made.bytes }, 'blobs/': { bytes } };
      })(),
    ],
    ['an index in an index', { 'manifests/1': { bytes: listOf(ociIndex).bytes, type: ociIndex } }],
    [
      'an index in an index that says it is none',
      (() => {
        const inner = listOf(ociManifest);
        const outer = makeIndex({
          manifests: [{ mediaType: ociManifest, digest: inner.digest, size: inner.bytes.length }],
        });
        return {
          'manifests/1': { bytes: outer.bytes, type: ociIndex },
          [inner.digest]: { bytes: inner.bytes, type: ociIndex },
        };
      })(),
    ],
    [
      'a child of another size',
      (() => {
        const outer = makeIndex({ manifests: [{ mediaType: ociManifest, digest: image.digest, size: 1 }] });
        return {
          'manifests/1': { bytes: outer.bytes, type: ociIndex },
          [image.digest]: { bytes: image.bytes },
        };
      })(),
    ],
    [
      'a child that is not its digest',
      {
        'manifests/1': { bytes: listOf(ociManifest).bytes, type: ociIndex },
        [image.digest]: {
          bytes: makeImageManifest({
            config: { mediaType: ociConfig, digest: digestOf('y'), size: 1 },
            layers: [],
          }).bytes,
        },
      },
    ],
    ['a child that is not there', { 'manifests/1': { bytes: listOf(ociManifest).bytes, type: ociIndex } }],
    [
      'a config that is not there',
      {
        'manifests/1': {
          bytes: makeImageManifest({
            config: { mediaType: ociConfig, digest: digestOf('y'), size: 1 },
            layers: [],
          }).bytes,
        },
      },
    ],
    ['a page of HTML', { 'manifests/1': { bytes: bytesOf('<html>login</html>'), type: 'text/html' } }],
  ])('%s are refused', async (_, entries) => {
    const whole = { ...entries, [digestOf(config)]: { bytes: config } };
    const registry = await hostile(catalogue(whole));
    const ask = client().registry.contents(tagged(registry.host, 'a/b', '1'));
    await expect(ask).rejects.toMatchObject({ code: 'manifest-invalid', outcome: 'error' });
  });

  it('asked for by digest must have it, by HEAD too', async () => {
    const registry = await hostile((_, response) =>
      response
        .writeHead(200, { 'content-type': ociManifest, 'docker-content-digest': image.digest })
        .end(image.bytes),
    );
    const other = { ...at(registry.host, 'a/b'), digest: digestOf('wanted') };
    for (const ask of ['head', 'resolve', 'manifest', 'contents'] as const) {
      await expect(client().registry[ask](other)).rejects.toMatchObject({ code: 'manifest-invalid' });
    }
  });

  it('of a foreign layer are never fetched', async () => {
    const elsewhere = await hostile((_, response) => response.end('foreign'));
    const layer = {
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
      digest: digestOf('foreign'),
      size: 7,
      urls: [`${elsewhere.url}/layer`],
    };
    const manifest = bytesOf({
      schemaVersion: 2,
      mediaType: ociManifest,
      config: { mediaType: ociConfig, digest: digestOf(config), size: config.length },
      layers: [layer],
    });
    const registry = await hostile(
      catalogue({ 'manifests/1': { bytes: manifest }, [digestOf(config)]: { bytes: config } }),
    );
    const { registry: ours } = client();
    expect(await ours.contents(tagged(registry.host, 'a/b', '1'))).toMatchObject({
      platforms: [{ layers: [digestOf('foreign')] }],
    });
    expect(await ours.blob(at(registry.host, 'a/b'), digestOf('foreign'))).toBeUndefined();
    expect(elsewhere.seen).toEqual([]);
  });

  it('of a token or an error are limited', async () => {
    const registry = await hostile((seen, response) =>
      seen.path.startsWith('/token')
        ? response.end(`{"token":"${'x'.repeat(100_000)}"}`)
        : response
            .writeHead(401, { 'www-authenticate': `Bearer realm="http://${seen.headers.host}/token"` })
            .end('e'.repeat(1_000_000)),
    );
    await expect(client().registry.manifest(tagged(registry.host, 'a', '1'))).rejects.toMatchObject({
      code: 'registry-failed',
      message: expect.stringContaining('65536'),
    });
  });
});

describe('lists', () => {
  it('are read to their end, page by page', async () => {
    const registry = await hostile((seen, response) => {
      const last = Number(new URL(seen.path, 'http://x').searchParams.get('last') ?? 0);
      if (last < 3) response.setHeader('link', `</v2/a/b/tags/list?last=${last + 1}&n=1000>; rel="next"`);
      response.end(JSON.stringify({ name: 'a/b', tags: [`v${last}`, 'not a tag', '../x', 7] }));
    });
    expect(await client().registry.tags(at(registry.host, 'a/b'))).toEqual(['v0', 'v1', 'v2', 'v3']);
  });

  it('without end are refused', async () => {
    let page = 0;
    const endless = await hostile((_, response) =>
      response.setHeader('link', `</v2/a/b/tags/list?last=${++page}>; rel="next"`).end('{"tags":["1"]}'),
    );
    await expect(client().registry.tags(at(endless.host, 'a/b'))).rejects.toMatchObject({
      code: 'registry-failed',
      message: expect.stringContaining('no end'),
    });
    expect(endless.seen.length).toBeLessThan(300);
    const circle = await hostile((seen, response) =>
      response.setHeader('link', `<${seen.path}>; rel="next"`).end('{"tags":["1"]}'),
    );
    await expect(client().registry.tags(at(circle.host, 'a/b'))).rejects.toMatchObject({
      code: 'registry-failed',
    });
    expect(circle.seen).toHaveLength(1);
  });

  it.each(['{}', '[]', '{"tags":"x"}', '{"tags":{}}', '<html>'])(
    'that are none are refused: %s',
    async (body) => {
      const registry = await hostile((_, response) => response.end(body));
      await expect(client().registry.tags(at(registry.host, 'a/b'))).rejects.toMatchObject({
        code: 'registry-failed',
      });
    },
  );

  const entry = { mediaType: ociManifest, digest: digestOf('r'), size: 1 };

  it('of referrers come as they are, or joined from their pages', async () => {
    const one = makeIndex({ manifests: [entry] });
    const single = await hostile(catalogue({ referrers: { bytes: one.bytes, type: ociIndex } }));
    expect(await client().registry.referrers(at(single.host, 'a/b'), digestOf('s'))).toMatchObject({
      digest: one.digest,
      mediaType: ociIndex,
    });
    const two = makeIndex({ manifests: [{ ...entry, digest: digestOf('r2') }] });
    const paged = await hostile((seen, response) => {
      const second = seen.path.includes('page=2');
      if (!second) response.setHeader('link', `<${seen.path}?page=2>; rel="next"`);
      response.setHeader('content-type', ociIndex).end((second ? two : one).bytes);
    });
    const joined = await client().registry.referrers(at(paged.host, 'a/b'), digestOf('s'));
    expect(joined!.digest).toBe(digestOf(joined!.bytes));
    expect(JSON.parse(Buffer.from(joined!.bytes).toString()).manifests).toEqual([
      entry,
      { ...entry, digest: digestOf('r2') },
    ]);
  });

  it.each<[string, number, string, string]>([
    ['does not know them', 404, 'text/plain', '404 page not found'],
    ['cannot find the manifest (GHCR)', 404, 'application/json', '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}'],
    ['dislikes the question (Artifactory)', 406, 'text/plain', ''],
    ['answers everything', 200, 'text/html', '<html>'],
  ])('of referrers are not there where the registry %s', async (_, status, type, body) => {
    const registry = await hostile((_seen, response) =>
      response.writeHead(status, { 'content-type': type }).end(body),
    );
    expect(await client().registry.referrers(at(registry.host, 'a/b'), digestOf('s'))).toBeUndefined();
  });

  it.each([401, 403, 429, 503])('of referrers stay unknown after a %i', async (status) => {
    const registry = await hostile((_, response) => response.writeHead(status).end());
    await expect(client().registry.referrers(at(registry.host, 'a/b'), digestOf('s'))).rejects.toMatchObject({
      outcome: 'error',
    });
  });
});

describe('a gateway', () => {
  it('may send us on to another registry, which gets an anonymous token of its own', async () => {
    const real = await hostile((seen, response) => {
      if (seen.path.startsWith('/token')) return response.end('{"token":"anonymous"}');
      if (seen.headers.authorization === 'Bearer anonymous')
        return catalogue({ 'manifests/1': { bytes: image.bytes } })(seen, response);
      return response
        .writeHead(401, {
          'www-authenticate': `Bearer realm="http://${seen.headers.host}/token",scope="repository:real/a:pull"`,
        })
        .end();
    });
    const gateway = await hostile((_, response) =>
      response.writeHead(307, { location: `${real.url}/v2/real/a/manifests/1` }).end(),
    );
    const { registry } = client({ [gateway.host]: account, [real.host]: account });
    expect(await registry.manifest(tagged(gateway.host, 'a', '1'))).toMatchObject({ digest: image.digest });
    expect(real.seen.filter((seen) => seen.headers.authorization?.startsWith('Basic'))).toEqual([]);
    expect(real.seen.map((seen) => seen.path)).toContain('/token?scope=repository%3Areal%2Fa%3Apull');
  });
});

describe('an upload in pieces', () => {
  it('goes on in the middle of a piece where the registry says it stands', async () => {
    const size = 20 * 1024 * 1024;
    const bytes = Buffer.alloc(size, 'xyz');
    let stored = Buffer.alloc(0);
    let broken = false;
    const registry = await hostile((seen, response) => {
      const state = {
        location: `/upload?state=${stored.length}`,
        range: `0-${Math.max(0, stored.length - 1)}`,
      };
      if (seen.method === 'POST') return response.writeHead(202, state).end();
      if (seen.method === 'GET') return response.writeHead(204, state).end();
      if (seen.method === 'HEAD') return response.writeHead(404).end();
      if (seen.method === 'PUT') return response.writeHead(201).end();
      const [start] = String(seen.headers['content-range']).split('-').map(Number);
      if (start !== stored.length) return response.writeHead(416).end();
      if (start > 0 && !broken) {
        broken = true;
        stored = Buffer.concat([stored, seen.body.subarray(0, 1000)]);
        return response.socket?.destroy();
      }
      stored = Buffer.concat([stored, seen.body]);
      return response.writeHead(202, { location: `/upload?state=${stored.length}` }).end();
    });
    await client().registry.putBlob(at(registry.host, 'a/b'), digestOf(bytes), bytes);
    expect(stored.equals(bytes)).toBe(true);
    const ranges = registry.seen
      .filter((seen) => seen.method === 'PATCH')
      .map((seen) => seen.headers['content-range']);
    expect(ranges).toEqual(['0-16777215', '16777216-20971519', '16778216-20971519']);
    expect(registry.seen.at(-1)!.path).toBe(
      `/upload?state=${size}&digest=${encodeURIComponent(digestOf(bytes))}`,
    );
  });
});
