import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FaultProxy, faultProxy, type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { makeImageManifest, makeIndex } from '../../../src/oci/manifest-bytes.ts';
import {
  dockerList,
  dockerManifest,
  ociConfig,
  ociIndex,
  ociManifest,
} from '../../../src/oci/media-types.ts';
import { withDigest, withTag } from '../../../src/oci/reference.ts';
import { sameContent } from '../../../src/oci/same-content.ts';
import { chunkSize } from '../../../src/registry/upload.ts';
import { at, bytesOf, client, judge, push, tagged, testImage } from './client.ts';

let box: Sandbox;
let proxy: FaultProxy;
let host: string;

beforeAll(async () => {
  box = await sandbox({ engine: 'none' });
  proxy = await faultProxy(box.registry.host);
  host = proxy.host;
});
afterAll(async () => {
  await proxy?.stop();
  await box?.stop();
});

const hashOf = (bytes: Uint8Array): Digest => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

describe('blobs', () => {
  it.each([0, 1, 1000, chunkSize, chunkSize + 1, 2 * chunkSize + 77])(
    'of %i bytes arrive, from bytes and from a stream',
    async (size) => {
      const { registry } = client();
      const name = `blobs/size-${size}`;
      for (const streamed of [false, true]) {
        const bytes =
          size === 0
            ? Buffer.alloc(0)
            : Buffer.concat([Buffer.from([streamed ? 1 : 0]), randomBytes(size - 1)]);
        const digest = hashOf(bytes);
        let opened = 0;
        const stream = {
          size,
          open: () => {
            opened++;
            return Readable.from(split(bytes, 1_000_003));
          },
        };
        expect(await registry.blobExists(at(host, name), digest)).toBe(streamed && size === 0);
        await registry.putBlob(at(host, name), digest, streamed ? stream : bytes);
        expect(await registry.blobExists(at(host, name), digest)).toBe(true);
        expect(Buffer.from((await registry.blob(at(host, name), digest, size + 1))!).equals(bytes)).toBe(
          true,
        );
        expect(opened).toBe(streamed ? 1 : 0);
      }
    },
  );

  it('that are there already are not sent again', async () => {
    const { registry } = client();
    const bytes = randomBytes(1000);
    await registry.putBlob(at(host, 'blobs/once'), hashOf(bytes), bytes);
    proxy.clear();
    await registry.putBlob(at(host, 'blobs/once'), hashOf(bytes), bytes);
    expect(proxy.requests.map((request) => request.method)).toEqual(['HEAD']);
  });

  it('that are not what they should be are refused before anything is sent', async () => {
    const { registry } = client();
    const changed = expect.objectContaining({ code: 'candidate-changed' });
    proxy.clear();
    await expect(registry.putBlob(at(host, 'blobs/wrong'), digestOf('a'), bytesOf('b'))).rejects.toEqual(
      changed,
    );
    const small = { size: 1, open: () => Readable.from([Buffer.from('b')]) };
    await expect(registry.putBlob(at(host, 'blobs/wrong'), digestOf('a'), small)).rejects.toEqual(changed);
    expect(proxy.requests).toEqual([]);
    const bytes = randomBytes(chunkSize + 5);
    const longer = { size: bytes.length - 1, open: () => Readable.from([bytes]) };
    const other = {
      size: bytes.length,
      open: () => Readable.from([bytes.subarray(1), bytes.subarray(0, 1)]),
    };
    await expect(registry.putBlob(at(host, 'blobs/wrong'), hashOf(bytes), longer)).rejects.toEqual(changed);
    await expect(registry.putBlob(at(host, 'blobs/wrong'), hashOf(bytes), other)).rejects.toEqual(changed);
    expect(proxy.requests.some((request) => request.path.includes('digest='))).toBe(false);
  });

  it('are mounted from another repository without being sent', async () => {
    const { registry } = client();
    const bytes = randomBytes(1000);
    const digest = hashOf(bytes);
    await registry.putBlob(at(host, 'blobs/origin'), digest, bytes);
    proxy.clear();
    expect(await registry.mountBlob(at(host, 'blobs/mounted'), digest, 'blobs/origin')).toBe(true);
    expect(await registry.blobExists(at(host, 'blobs/mounted'), digest)).toBe(true);
    expect(proxy.requests.map((request) => request.method)).toEqual(['POST', 'HEAD']);
    expect(await registry.mountBlob(at(host, 'blobs/mounted'), digestOf('nowhere'), 'blobs/origin')).toBe(
      false,
    );
  });

  it('that are missing are undefined, those too large a failure', async () => {
    const { registry } = client();
    const bytes = randomBytes(1000);
    expect(await registry.blob(at(host, 'blobs/none'), digestOf('x'))).toBeUndefined();
    await registry.putBlob(at(host, 'blobs/limit'), hashOf(bytes), bytes);
    await expect(registry.blob(at(host, 'blobs/limit'), hashOf(bytes), 999)).rejects.toMatchObject({
      code: 'manifest-invalid',
    });
  });

  it('that are large are not held in memory', async () => {
    const { registry } = client();
    const part = randomBytes(1024 * 1024);
    const count = 192;
    const hash = createHash('sha256');
    for (let i = 0; i < count; i++) hash.update(part);
    const digest = `sha256:${hash.digest('hex')}` as Digest;
    let most = 0;
    const open = () =>
      Readable.from(
        (async function* () {
          for (let i = 0; i < count; i++) {
            most = Math.max(most, process.memoryUsage().arrayBuffers);
            yield part;
          }
        })(),
      );
    const before = process.memoryUsage().arrayBuffers;
    await registry.putBlob(at(box.registry.host, 'blobs/large'), digest, { size: count * part.length, open });
    expect(most - before).toBeLessThan(110 * 1024 * 1024);
    expect(await registry.blobExists(at(host, 'blobs/large'), digest)).toBe(true);
  });
});

describe('manifests', () => {
  it.each(['oci', 'docker'] as const)('in %s form are the same for us, crane and skopeo', async (format) => {
    const { registry } = client();
    const image = await testImage(format, { format, config: { Labels: { a: format } } });
    const reference = tagged(host, `manifests/${format}`, '1.0.0_v2');
    expect(await registry.resolve(reference)).toBeUndefined();
    expect(await push(registry, reference, image)).toBe(image.digest);
    const digest = await judge(box, 'crane', 'digest', '--insecure', `${host}/manifests/${format}:1.0.0_v2`);
    expect(digest).toBe(image.digest);
    expect(await judge(box, 'crane', 'manifest', '--insecure', `${host}/manifests/${format}:1.0.0_v2`)).toBe(
      image.manifest.toString().trim(),
    );
    await judge(box, 'crane', 'validate', '--insecure', '--remote', `${host}/manifests/${format}:1.0.0_v2`);
    const inspected = JSON.parse(
      await judge(
        box,
        'skopeo',
        'inspect',
        '--tls-verify=false',
        `docker://${host}/manifests/${format}:1.0.0_v2`,
      ),
    );
    expect(inspected).toMatchObject({ Digest: image.digest, Labels: { a: format } });
    expect(await registry.resolve(reference)).toEqual({
      digest: image.digest,
      mediaType: format === 'oci' ? ociManifest : dockerManifest,
    });
    const found = await registry.manifest(reference);
    expect(found).toMatchObject({ digest: image.digest });
    expect(Buffer.from(found!.bytes).equals(image.manifest)).toBe(true);
  });

  it.each([ociIndex, dockerList] as const)(
    'of type %s hold several platforms and leave attestations out',
    async (mediaType) => {
      const { registry } = client();
      const name = mediaType === ociIndex ? 'manifests/index' : 'manifests/list';
      const format = mediaType === ociIndex ? 'oci' : 'docker';
      const images = await Promise.all(
        ['amd64', 'arm64'].map((architecture) =>
          testImage(architecture, { architecture, format, config: { Labels: { arch: architecture } } }),
        ),
      );
      for (const image of images)
        await push(registry, withDigest(at(host, name), image.digest as Digest), image);
      const attestation = await testImage('attestation', { architecture: 'unknown', format });
      await push(registry, withDigest(at(host, name), attestation.digest as Digest), attestation);
      const entry = (image: typeof attestation, architecture: string, os = 'linux') => ({
        mediaType: image.mediaType,
        digest: image.digest as Digest,
        size: image.manifest.length,
        platform: { os, architecture, ...(architecture === 'arm64' ? { variant: 'v8' } : {}) },
      });
      const marks = {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': images[0]!.digest,
      };
      const index = makeIndex({
        mediaType,
        manifests: [
          entry(images[0]!, 'amd64'),
          entry(images[1]!, 'arm64'),
          { ...entry(attestation, 'unknown', 'unknown'), annotations: marks },
        ],
      });
      const reference = tagged(host, name, 'all');
      const put = await registry.putManifest(reference, index);
      expect(put).toEqual({ digest: index.digest, subjectHonoured: false });
      const contents = await registry.contents(reference);
      expect(contents!.manifest.digest).toBe(index.digest);
      expect(
        contents!.platforms.map(({ platform, labels, layers, config }) => ({
          platform,
          labels,
          layers,
          config: config.digest,
        })),
      ).toEqual(
        images.map((image, i) => ({
          platform: ['linux/amd64', 'linux/arm64'][i],
          labels: { arch: ['amd64', 'arm64'][i] },
          layers: image.layers.map((layer) => layer.digest),
          config: image.config.digest,
        })),
      );
      expect(
        await judge(box, 'crane', 'digest', '--insecure', '--platform', 'linux/amd64', `${host}/${name}:all`),
      ).toBe(images[0]!.digest);

      // Joined anew, without the attestation: another digest, the same content.
      const again = makeIndex({
        mediaType,
        manifests: [entry(images[1]!, 'arm64'), entry(images[0]!, 'amd64')],
      });
      await registry.putManifest(withTag(reference, 'again'), again);
      const other = await registry.contents(withTag(reference, 'again'));
      expect(other!.manifest.digest).not.toBe(contents!.manifest.digest);
      expect(sameContent(other!.platforms, contents!.platforms)).toBe(true);
      const one = await registry.contents(withDigest(reference, images[0]!.digest as Digest));
      expect(one!.platforms).toHaveLength(1);
      expect(sameContent(one!.platforms, contents!.platforms)).toBe(false);
    },
  );

  it('with a subject say whether the registry knows referrers; this one does not', async () => {
    const { registry } = client();
    const name = 'manifests/subject';
    const image = await testImage('subject');
    await push(registry, tagged(host, name, '1'), image);
    const empty = bytesOf('{}');
    await registry.putBlob(at(host, name), digestOf(empty), empty);
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(empty), size: 2 };
    const referrer = makeImageManifest({
      config,
      layers: [config],
      artifactType: 'application/vnd.example',
      subject: { mediaType: ociManifest, digest: image.digest as Digest, size: image.manifest.length },
    });
    const put = await registry.putManifest(withDigest(at(host, name), referrer.digest), referrer);
    expect(put).toEqual({ digest: referrer.digest, subjectHonoured: false });
    expect(await registry.referrers(at(host, name), image.digest as Digest)).toBeUndefined();
    const artifact = await registry.contents(withDigest(at(host, name), referrer.digest));
    expect(artifact!.platforms).toMatchObject([
      { platform: 'unknown/unknown', labels: {}, layers: [digestOf(empty)] },
    ]);
  });

  it('that are missing are undefined, by tag, digest and repository', async () => {
    const { registry } = client();
    const image = await testImage('missing');
    await push(registry, tagged(host, 'manifests/missing', '1'), image);
    for (const reference of [
      tagged(host, 'manifests/missing', '2'),
      withDigest(at(host, 'manifests/missing'), digestOf('x')),
      tagged(host, 'manifests/nowhere', '1'),
    ]) {
      expect(await registry.head(reference)).toBeUndefined();
      expect(await registry.manifest(reference)).toBeUndefined();
      expect(await registry.contents(reference)).toBeUndefined();
    }
  });

  it('are not asked for without a tag or digest', async () => {
    const { registry } = client();
    await expect(registry.head(at(host, 'manifests/oci'))).rejects.toMatchObject({
      code: 'reference-invalid',
    });
  });

  it('that would not be valid are never pushed', async () => {
    const { registry } = client();
    proxy.clear();
    const child = { mediaType: ociIndex, digest: digestOf('x'), size: 1 };
    await expect(
      registry.putManifest(tagged(host, 'manifests/bad', '1'), {
        bytes: bytesOf('{}'),
        mediaType: ociManifest,
      }),
    ).rejects.toMatchObject({ code: 'manifest-invalid' });
    const nested = makeIndex({ manifests: [child] });
    await expect(
      registry.putManifest(withDigest(at(host, 'manifests/bad'), digestOf('other')), nested),
    ).rejects.toMatchObject({ code: 'manifest-invalid' });
    expect(proxy.requests).toEqual([]);
  });

  it('that name a blob or child which is not there fail by name, soon', async () => {
    const { registry } = client();
    const gone = { mediaType: ociConfig, digest: digestOf('gone'), size: 4 };
    const manifest = makeImageManifest({ config: gone, layers: [] });
    proxy.clear();
    await expect(registry.putManifest(tagged(host, 'manifests/gone', '1'), manifest)).rejects.toMatchObject({
      code: 'registry-failed',
      message: expect.stringContaining('MANIFEST_BLOB_UNKNOWN'),
    });
    expect(proxy.requests).toHaveLength(3);
    expect(await registry.head(tagged(host, 'manifests/gone', '1'))).toBeUndefined();
  });
});

describe('one request', () => {
  it('for each distinct reference that is resolved, however often; head always asks', async () => {
    const { registry } = client();
    const image = await testImage('memo');
    const reference = tagged(host, 'memo/a', '1');
    await push(registry, reference, image);
    proxy.clear();
    const all = await Promise.all([1, 2, 3].map(() => registry.resolve({ ...reference })));
    expect(all).toEqual([1, 2, 3].map(() => ({ digest: image.digest, mediaType: ociManifest })));
    await registry.resolve(reference);
    expect(proxy.requests).toHaveLength(1);
    await registry.head(reference);
    await registry.head(reference);
    expect(proxy.requests).toHaveLength(3);
  });

  it('is asked again after a failure and after a push of that tag', async () => {
    const { registry } = client();
    const reference = tagged(host, 'memo/b', '1');
    expect(await registry.resolve(reference)).toBeUndefined();
    await push(registry, reference, await testImage('one'));
    const first = await registry.resolve(reference);
    expect(first).toBeDefined();
    await push(registry, reference, await testImage('two'));
    expect(await registry.resolve(reference)).not.toEqual(first);
    proxy.fault({ path: /memo\/b/, times: 1, how: { status: 403 } });
    proxy.fault({ path: /memo\/b/, times: 1, how: { status: 403 } });
    const fresh = client().registry;
    await expect(fresh.resolve(reference)).rejects.toMatchObject({ code: 'registry-denied' });
    expect(await fresh.resolve(reference)).toBeDefined();
    proxy.clear();
  });

  it('becomes two where HEAD does not say enough', async () => {
    const { registry } = client();
    const image = await testImage('headless');
    const reference = tagged(host, 'memo/c', '1');
    await push(registry, reference, image);
    for (const how of [
      { status: 405 },
      { status: 200 },
      { status: 200, headers: { 'docker-content-digest': 'sha256:short' } },
      { status: 404 },
      { status: 403 },
    ]) {
      proxy.clear();
      proxy.fault({ method: 'HEAD', how });
      expect(await registry.head(reference)).toEqual({ digest: image.digest, mediaType: ociManifest });
      expect(proxy.requests.map((request) => request.method)).toEqual(['HEAD', 'GET']);
    }
    proxy.clear();
  });

  it('names all four types, always', async () => {
    const { registry } = client();
    proxy.clear();
    await registry.head(tagged(host, 'memo/c', '1'));
    await registry.manifest(tagged(host, 'memo/c', '1'));
    for (const { headers } of proxy.requests) {
      for (const type of [ociIndex, ociManifest, dockerList, dockerManifest])
        expect(headers.accept).toContain(type);
    }
  });
});

describe('tags', () => {
  it('are listed, of no repository none', async () => {
    const { registry } = client();
    const image = await testImage('tags');
    for (const tag of ['1.0.0', '1.0.0_v2', 'latest'])
      await push(registry, tagged(host, 'tags/a', tag), image);
    expect([...(await registry.tags(at(host, 'tags/a')))].sort()).toEqual(['1.0.0', '1.0.0_v2', 'latest']);
    expect(await registry.tags(at(host, 'tags/none'))).toEqual([]);
  });
});

function* split(bytes: Buffer, size: number): Generator<Buffer> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}
