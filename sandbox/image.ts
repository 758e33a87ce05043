import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { engineApi } from './docker-api.ts';

/** A file (its content, or `from` where on this machine it comes), folder or link of a layer; all belong to root and carry one fixed time, so that digests repeat. */
export type Entry =
  | { readonly path: string; readonly content: Buffer | string; readonly mode?: number }
  | { readonly path: string; readonly from: string; readonly mode?: number }
  | { readonly path: string; readonly folder: true; readonly mode?: number }
  | { readonly path: string; readonly linkTo: string; readonly hard?: boolean };

export interface ImageConfig {
  readonly Env?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>>;
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly StopSignal?: string;
}

export interface ImageOptions {
  readonly config?: ImageConfig;
  readonly architecture?: string;
  readonly variant?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** `docker`: the media types of Docker's v2 schema 2; default `oci`. */
  readonly format?: 'oci' | 'docker';
}

export interface Blob {
  readonly digest: string;
  readonly bytes: Buffer;
}

/** An image in memory: made without an engine, the same bytes every time. */
export interface Image {
  readonly digest: string;
  readonly mediaType: string;
  readonly manifest: Buffer;
  readonly config: Blob;
  readonly layers: readonly Blob[];
}

/** Makes an image of one layer for each list of entries. */
export async function makeImage(
  layers: readonly (readonly Entry[])[],
  options: ImageOptions = {},
): Promise<Image> {
  const docker = options.format === 'docker';
  const tars = await Promise.all(layers.map(tarOf));
  // Fast rather than small: it stays on this machine.
  const blobs = tars.map((tar) => blob(gzipSync(tar, { level: 1 })));
  const config = blob(
    json({
      architecture:
        options.architecture ?? { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch,
      ...(options.variant ? { variant: options.variant } : {}),
      os: 'linux',
      created: '2020-01-01T00:00:00Z',
      config: options.config ?? {},
      rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
      history: tars.map(() => ({ created: '2020-01-01T00:00:00Z', created_by: 'sandbox' })),
    }),
  );
  const type = (oci: string, v2: string) =>
    docker ? `application/vnd.docker.${v2}` : `application/vnd.oci.${oci}`;
  const mediaType = type('image.manifest.v1+json', 'distribution.manifest.v2+json');
  const manifest = json({
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: type('image.config.v1+json', 'container.image.v1+json'),
      size: config.bytes.length,
      digest: config.digest,
    },
    layers: blobs.map(({ bytes, digest }) => ({
      mediaType: type('image.layer.v1.tar+gzip', 'image.rootfs.diff.tar.gzip'),
      size: bytes.length,
      digest,
    })),
    ...(options.annotations ? { annotations: options.annotations } : {}),
  });
  return { digest: digestOf(manifest), mediaType, manifest, config, layers: blobs };
}

/** Pushes an image to a registry without authentication under `repository:tag`. */
export async function pushImage(
  registry: string,
  repository: string,
  tag: string,
  image: Image,
): Promise<void> {
  for (const { digest, bytes } of [image.config, ...image.layers]) {
    await pushBlob(registry, repository, digest, bytes);
  }
  await pushManifest(registry, repository, tag, image.mediaType, image.manifest);
}

/** Pushes an index over images that `pushImage` has put into the same repository; returns its digest. */
export async function pushIndex(
  registry: string,
  repository: string,
  tag: string,
  images: readonly { readonly image: Image; readonly platform: Readonly<Record<string, string>> }[],
): Promise<string> {
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const manifests = images.map(({ image, platform }) => ({
    mediaType: image.mediaType,
    size: image.manifest.length,
    digest: image.digest,
    platform,
  }));
  const index = json({ schemaVersion: 2, mediaType, manifests });
  await pushManifest(registry, repository, tag, mediaType, index);
  return digestOf(index);
}

export async function pushBlob(
  registry: string,
  repository: string,
  digest: string,
  bytes: Buffer,
): Promise<void> {
  const base = `http://${registry}/v2/${repository}/blobs`;
  const there = await fetch(`${base}/${digest}`, { method: 'HEAD' });
  if (there.ok) return;
  const begun = await fetch(`${base}/uploads/`, { method: 'POST' });
  const location = new URL(begun.headers.get('location') ?? '', `http://${registry}`);
  location.searchParams.set('digest', digest);
  const put = await fetch(location, {
    method: 'PUT',
    body: new Uint8Array(bytes),
    headers: { 'content-type': 'application/octet-stream' },
  });
  if (put.status !== 201)
    throw new Error(`the registry answered ${put.status} to a blob: ${await put.text()}`);
}

/** Puts a manifest's bytes under a tag or its digest. */
export async function pushManifest(
  registry: string,
  repository: string,
  reference: string,
  mediaType: string,
  bytes: Buffer,
): Promise<void> {
  const put = await fetch(`http://${registry}/v2/${repository}/manifests/${reference}`, {
    method: 'PUT',
    body: new Uint8Array(bytes),
    headers: { 'content-type': mediaType },
  });
  if (put.status !== 201)
    throw new Error(`the registry answered ${put.status} to a manifest: ${await put.text()}`);
}

/** Loads an image into an engine under the given full references. */
export async function loadImage(
  dockerHost: string,
  references: readonly string[],
  image: Image,
): Promise<void> {
  const files: Entry[] = image.layers.map((layer) => ({
    path: `${hex(layer.digest)}.tar`,
    content: layer.bytes,
  }));
  files.push({ path: `${hex(image.config.digest)}.json`, content: image.config.bytes });
  const list = [
    {
      Config: `${hex(image.config.digest)}.json`,
      RepoTags: references,
      Layers: image.layers.map((layer) => `${hex(layer.digest)}.tar`),
    },
  ];
  files.push({ path: 'manifest.json', content: json(list) });
  const answer = await engineApi(dockerHost, 'POST', '/images/load?quiet=1', {
    body: await tarOf(files),
    headers: { 'content-type': 'application/x-tar' },
  });
  const said = answer.body.toString();
  if (answer.status !== 200 || /"error"/.test(said))
    throw new Error(`the engine did not load the image: ${said}`);
}

export const digestOf = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A tar archive of the entries in their order, in memory. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  const chunks: Buffer[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    tar.on('data', (chunk) => chunks.push(chunk as Buffer));
    tar.on('end', resolve);
    tar.on('error', reject);
  });
  const mtime = new Date(0);
  for (const entry of entries) {
    if ('content' in entry) {
      tar.entry({ name: entry.path, mode: entry.mode ?? 0o644, mtime }, entry.content);
    } else if ('from' in entry) {
      tar.entry({ name: entry.path, mode: entry.mode ?? 0o644, mtime }, readFileSync(entry.from));
    } else if ('linkTo' in entry) {
      const type = entry.hard ? 'link' : 'symlink';
      tar.entry({ name: entry.path, type, linkname: entry.linkTo, mode: 0o777, mtime });
    } else {
      tar.entry({ name: entry.path, type: 'directory', mode: entry.mode ?? 0o755, mtime });
    }
  }
  tar.finalize();
  await ended;
  return Buffer.concat(chunks);
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const hex = (digest: string): string => digest.slice('sha256:'.length);
const blob = (bytes: Buffer): Blob => ({ digest: digestOf(bytes), bytes });
