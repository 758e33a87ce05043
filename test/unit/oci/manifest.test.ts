import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import {
  imageChildren,
  isAttestationChild,
  manifestLimit,
  parseManifest,
} from '../../../src/oci/manifest.ts';
import { makeImageManifest, makeIndex } from '../../../src/oci/manifest-bytes.ts';
import {
  dockerConfig,
  dockerList,
  dockerManifest,
  ociConfig,
  ociIndex,
  ociManifest,
} from '../../../src/oci/media-types.ts';

const bytes = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const D = (text: string) => digestOf(text);
const config = { mediaType: ociConfig, digest: D('c'), size: 1 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: D('l'), size: 2 };
const image = { schemaVersion: 2, mediaType: ociManifest, config, layers: [layer] };
const child = {
  mediaType: ociManifest,
  digest: D('m'),
  size: 3,
  platform: { os: 'linux', architecture: 'amd64' },
};
const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [child] };

describe('parseManifest takes', () => {
  it.each<[string, unknown, string]>([
    ['an image', image, ociManifest],
    ['an image with parameters in its type', image, `${ociManifest}; charset=utf-8`],
    ['an OCI image without mediaType', { ...image, mediaType: undefined }, ociManifest],
    [
      'a Docker image',
      { ...image, mediaType: dockerManifest, config: { ...config, mediaType: dockerConfig } },
      dockerManifest,
    ],
    ['an index', index, ociIndex],
    ['an OCI index without mediaType', { ...index, mediaType: undefined }, ociIndex],
    ['a Docker list', { ...index, mediaType: dockerList }, dockerList],
    ['an empty index', { ...index, manifests: [] }, ociIndex],
    ['keys that it does not know', { ...image, extra: { Config: 1 } }, ociManifest],
    [
      'annotations that differ in case only',
      { ...image, annotations: { Layers: 'a', layers: 'b' } },
      ociManifest,
    ],
    ['an artifact', { ...image, artifactType: 'a/b', subject: child, layers: [] }, ociManifest],
  ])('%s', (_, value, type) => {
    const manifest = parseManifest(bytes(value), type);
    expect(manifest.kind).toBe(type.includes('index') || type.includes('list') ? 'index' : 'image');
  });

  it('never keeps foreign addresses or embedded bytes', () => {
    const foreign = { ...layer, urls: ['https://evil.example/layer'], data: 'AAAA' };
    const manifest = parseManifest(bytes({ ...image, layers: [foreign] }), ociManifest);
    expect(JSON.stringify(manifest)).not.toContain('evil');
    expect(manifest).toMatchObject({ layers: [layer] });
  });
});

describe('parseManifest refuses', () => {
  it.each<[string, unknown, string]>([
    ['another type', image, 'application/json'],
    ['no type', image, ''],
    [
      'schema 1',
      { schemaVersion: 1, fsLayers: [] },
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
    ],
    ['an image served as an index', image, ociIndex],
    ['an index served as an image', index, ociManifest],
    ['a mediaType of the other kind', { ...image, mediaType: ociIndex }, ociManifest],
    ['a Docker type served as OCI', { ...image, mediaType: dockerManifest }, ociManifest],
    ['a Docker image without mediaType', { ...image, mediaType: undefined }, dockerManifest],
    ['an image that is an index too', { ...image, manifests: [child] }, ociManifest],
    ['an index that is an image too', { ...index, layers: [layer] }, ociIndex],
    ['an index with an empty image in it', { ...index, layers: [] }, ociIndex],
    ['an index with a null config', { ...index, config: null }, ociIndex],
    ['schema 1 layers in schema 2', { ...image, fsLayers: [] }, ociManifest],
    ['schemaVersion 1', { ...image, schemaVersion: 1 }, ociManifest],
    ['an index in an index', { ...index, manifests: [{ ...child, mediaType: ociIndex }] }, ociIndex],
    ['a list in an index', { ...index, manifests: [{ ...child, mediaType: dockerList }] }, ociIndex],
    ['a double key', '{"schemaVersion":2,"schemaVersion":2}', ociManifest],
    ['a look-alike of a key', { ...image, Layers: [] }, ociManifest],
    ['a look-alike in a descriptor', { ...image, config: { ...config, Digest: D('evil') } }, ociManifest],
    [
      'a look-alike in a platform',
      { ...index, manifests: [{ ...child, platform: { OS: 'x', os: 'linux', architecture: 'a' } }] },
      ociIndex,
    ],
    ['no config', { ...image, config: undefined }, ociManifest],
    ['no layers', { ...image, layers: undefined }, ociManifest],
    ['no manifests', { ...index, manifests: undefined }, ociIndex],
    ['a short digest', { ...image, config: { ...config, digest: 'sha256:00' } }, ociManifest],
    ['an upper-case digest', { ...image, config: { ...config, digest: D('c').toUpperCase() } }, ociManifest],
    [
      'another algorithm',
      { ...image, config: { ...config, digest: `sha512:${'0'.repeat(128)}` } },
      ociManifest,
    ],
    ['a negative size', { ...image, config: { ...config, size: -1 } }, ociManifest],
    ['a broken size', { ...image, config: { ...config, size: 1.5 } }, ociManifest],
    ['a size in words', { ...image, config: { ...config, size: '1' } }, ociManifest],
    ['no mediaType in a descriptor', { ...image, config: { ...config, mediaType: '' } }, ociManifest],
    ['annotations that are no text', { ...image, annotations: { a: 1 } }, ociManifest],
    ['an array', [], ociManifest],
    ['null', 'null', ociManifest],
    ['no JSON', '<html>', ociManifest],
  ])('%s', (_, value, type) => {
    expect(() => parseManifest(bytes(value), type)).toThrow(
      expect.objectContaining({ code: 'manifest-invalid' }),
    );
  });

  it('more than 4 MiB, before it reads them', () => {
    expect(() => parseManifest(new Uint8Array(manifestLimit + 1), ociManifest)).toThrow('larger');
  });

  it('an index in a list of referrers is no content of it', () => {
    const listing = bytes({ ...index, manifests: [{ ...child, mediaType: ociIndex }] });
    expect(parseManifest(listing, ociIndex, { listing: true })).toMatchObject({ kind: 'index' });
  });

  it('whatever else, always with its own code', () => {
    const mangled = fc.tuple(
      fc.constantFrom(image, index),
      fc.constantFrom(...Object.keys({ ...image, ...index })),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        mangled,
        fc.constantFrom(ociManifest, ociIndex, dockerManifest, dockerList),
        ([base, key, value], type) => {
          try {
            parseManifest(bytes({ ...base, [key]: value }), type);
          } catch (error) {
            expect(error).toMatchObject({ code: 'manifest-invalid' });
          }
        },
      ),
    );
  });
});

describe('attestation children', () => {
  const unknown = { os: 'unknown', architecture: 'unknown' };
  const marks = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': child.digest,
  };
  const attestation = { ...child, digest: D('a'), platform: unknown, annotations: marks };
  const read = (entry: unknown) => {
    const parsed = parseManifest(bytes({ ...index, manifests: [child, entry] }), ociIndex);
    if (parsed.kind !== 'index') throw new Error('not an index');
    return parsed;
  };

  it('are left out', () => {
    const parsed = read(attestation);
    expect(imageChildren(parsed).map((entry) => entry.digest)).toEqual([child.digest]);
  });

  it.each<[string, object]>([
    ['a real platform', { ...attestation, platform: { os: 'linux', architecture: 'arm64' } }],
    ['half a real platform', { ...attestation, platform: { os: 'linux', architecture: 'unknown' } }],
    ['no mark', { ...attestation, annotations: {} }],
    ['another mark', { ...attestation, annotations: { ...marks, 'vnd.docker.reference.type': 'x' } }],
    [
      'a mark for a stranger',
      { ...attestation, annotations: { ...marks, 'vnd.docker.reference.digest': D('z') } },
    ],
    [
      'a mark for itself',
      { ...attestation, annotations: { ...marks, 'vnd.docker.reference.digest': D('a') } },
    ],
  ])('are not hidden with %s', (_, entry) => {
    const parsed = read(entry);
    expect(isAttestationChild(parsed.manifests[1]!, parsed)).toBe(false);
    expect(imageChildren(parsed)).toHaveLength(2);
  });
});

describe('made manifests', () => {
  it('have one digest for one content, whatever the order of keys', () => {
    const a = makeImageManifest({ config, layers: [layer], annotations: { b: '2', a: '1' } });
    const b = makeImageManifest({
      layers: [{ size: 2, digest: D('l'), mediaType: layer.mediaType }],
      config,
      annotations: { a: '1', b: '2' },
    });
    expect(a).toEqual(b);
    expect(a.digest).toBe(digestOf(a.bytes));
    expect(new TextDecoder().decode(a.bytes)).toBe(
      `{"schemaVersion":2,"mediaType":"${ociManifest}",` +
        `"config":{"mediaType":"${ociConfig}","digest":"${D('c')}","size":1},` +
        `"layers":[{"mediaType":"${layer.mediaType}","digest":"${D('l')}","size":2}],"annotations":{"a":"1","b":"2"}}`,
    );
  });

  it('are read back as they were given', () => {
    const subject = { mediaType: ociManifest, digest: D('s'), size: 9 };
    const made = makeIndex({
      manifests: [child, { ...child, digest: D('n'), annotations: { k: 'v' } }],
      subject,
      artifactType: 'a/b',
      annotations: { k: 'v' },
    });
    expect(parseManifest(made.bytes, made.mediaType)).toEqual({
      kind: 'index',
      mediaType: ociIndex,
      manifests: [child, { ...child, digest: D('n'), annotations: { k: 'v' } }],
      subject,
      artifactType: 'a/b',
      annotations: { k: 'v' },
    });
    const docker = makeImageManifest({
      mediaType: dockerManifest,
      config: { ...config, mediaType: dockerConfig },
      layers: [layer],
    });
    expect(parseManifest(docker.bytes, dockerManifest)).toMatchObject({
      mediaType: dockerManifest,
      annotations: {},
    });
    expect(docker.descriptor).toEqual({
      mediaType: dockerManifest,
      digest: docker.digest,
      size: docker.bytes.length,
    });
  });

  it('of a Docker type have no annotations', () => {
    expect(() =>
      makeImageManifest({ mediaType: dockerManifest, config, layers: [], annotations: { a: 'b' } }),
    ).toThrow('annotations');
  });
});
