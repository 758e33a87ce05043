import { Failure } from '../outcome.ts';
import { type Digest, isDigest } from './digest.ts';
import {
  type ImageMediaType,
  type IndexMediaType,
  isImageMediaType,
  isIndexMediaType,
  mediaTypeOf,
} from './media-types.ts';
import { normalisePlatform, type Platform } from './platform.ts';
import { lookalikeKey, parseStrictJson } from './strict-json.ts';

/** Registries take manifests of at most 4 MiB (distribution spec, "Pushing Manifests"); so do we. */
export const manifestLimit = 4 * 1024 * 1024;

/**
 * A reference to content. `urls` and `data` of the format are left out on purpose: foreign-layer addresses are never
 * followed, and embedded bytes never stand in for what the digest names.
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Common {
  readonly annotations: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
}

/** An image, or another artifact in the form of one. */
export interface ImageManifest extends Common {
  readonly kind: 'image';
  readonly mediaType: ImageMediaType;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface ImageIndex extends Common {
  readonly kind: 'index';
  readonly mediaType: IndexMediaType;
  readonly manifests: readonly Descriptor[];
}

export type Manifest = ImageManifest | ImageIndex;

const KEYS = [
  'schemaVersion',
  'mediaType',
  'config',
  'layers',
  'manifests',
  'annotations',
  'subject',
  'artifactType',
];
const DESCRIPTOR_KEYS = [
  'mediaType',
  'digest',
  'size',
  'platform',
  'artifactType',
  'annotations',
  'urls',
  'data',
];
const PLATFORM_KEYS = ['os', 'architecture', 'variant', 'os.version', 'os.features', 'features'];

/**
 * Reads the manifest or index in these bytes, which were served as `contentType`. Fails with `manifest-invalid`
 * unless content type, `mediaType` of the body and shape agree (a body that two programs can read as two kinds is
 * CVE-2021-41190), no key is double or a look-alike, and an index has no index below it. `listing` allows that last
 * one, for a list of referrers: a referrer may be an index, and is not content of the list.
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string,
  options: { readonly listing?: boolean } = {},
): Manifest {
  const mediaType = mediaTypeOf(contentType);
  if (bytes.length > manifestLimit) throw invalid(`is larger than ${manifestLimit} bytes`);
  if (!isImageMediaType(mediaType) && !isIndexMediaType(mediaType)) {
    throw invalid(`has the type ${quote(mediaType)}, which is none of the four that images have today`);
  }
  const body = object(parseStrictJson(bytes, 'The manifest'), 'the manifest', KEYS);
  if (body.schemaVersion !== 2) throw invalid('has another `schemaVersion` than 2');
  // Optional in OCI's types, required in Docker's.
  if (body.mediaType !== mediaType && !(body.mediaType === undefined && mediaType.includes('.oci.'))) {
    throw invalid(`says mediaType ${quote(body.mediaType)} and was served as ${quote(mediaType)}`);
  }
  const common = {
    annotations: annotations(body.annotations, 'annotations') ?? {},
    ...optional('artifactType', text(body.artifactType, 'artifactType')),
    ...optional('subject', body.subject === undefined ? undefined : descriptor(body.subject, 'subject')),
  };
  if (isIndexMediaType(mediaType)) {
    refuse(body, ['config', 'layers', 'fsLayers', 'history'], 'an index');
    const manifests = list(body.manifests, 'manifests');
    const nested = manifests.find((child) => isIndexMediaType(child.mediaType));
    if (nested !== undefined && options.listing !== true)
      throw invalid(`has an index below it (${nested.digest})`);
    return { kind: 'index', mediaType, manifests, ...common };
  }
  refuse(body, ['manifests', 'fsLayers', 'history'], 'an image manifest');
  return {
    kind: 'image',
    mediaType,
    config: descriptor(body.config, 'config'),
    layers: list(body.layers, 'layers'),
    ...common,
  };
}

const REFERENCE_TYPE = 'vnd.docker.reference.type';
const REFERENCE_DIGEST = 'vnd.docker.reference.digest';

/**
 * Whether this entry is an attestation that BuildKit put beside an image: platform `unknown/unknown`, marked, and for
 * a sibling in the same index. All three, since an entry left out of a comparison is one that nobody compared.
 */
export function isAttestationChild(entry: Descriptor, index: Pick<ImageIndex, 'manifests'>): boolean {
  const subject = entry.annotations?.[REFERENCE_DIGEST];
  return (
    entry.platform?.os === 'unknown' &&
    entry.platform.architecture === 'unknown' &&
    entry.annotations?.[REFERENCE_TYPE] === 'attestation-manifest' &&
    index.manifests.some((sibling) => sibling !== entry && sibling.digest === subject)
  );
}

/** The entries of an index that are images, in its order. */
export function imageChildren(index: ImageIndex): readonly Descriptor[] {
  return index.manifests.filter((entry) => !isAttestationChild(entry, index));
}

function list(value: unknown, name: string): Descriptor[] {
  if (!Array.isArray(value)) throw invalid(`has no list \`${name}\``);
  return value.map((entry, i) => descriptor(entry, `${name}[${i}]`));
}

function descriptor(value: unknown, name: string): Descriptor {
  const entry = object(value, `\`${name}\``, DESCRIPTOR_KEYS);
  const { digest, size } = entry;
  const mediaType = text(entry.mediaType, `${name}.mediaType`);
  if (!mediaType) throw invalid(`has no \`${name}.mediaType\``);
  if (typeof digest !== 'string' || !isDigest(digest)) throw invalid(`has no sha256 digest in \`${name}\``);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`has no size in \`${name}\``);
  return {
    mediaType,
    digest,
    size,
    ...optional('platform', platform(entry.platform, `${name}.platform`)),
    ...optional('artifactType', text(entry.artifactType, `${name}.artifactType`)),
    ...optional('annotations', annotations(entry.annotations, `${name}.annotations`)),
  };
}

function platform(value: unknown, name: string): Platform | undefined {
  if (value === undefined || value === null) return undefined;
  const entry = object(value, `\`${name}\``, PLATFORM_KEYS);
  const os = text(entry.os, `${name}.os`) ?? '';
  const architecture = text(entry.architecture, `${name}.architecture`) ?? '';
  // Artifacts other than images have an empty platform in some indexes: the same as none.
  if (os === '' && architecture === '') return undefined;
  return normalisePlatform({
    os,
    architecture,
    variant: text(entry.variant, `${name}.variant`),
    osVersion: text(entry['os.version'], `${name}.os.version`),
  });
}

function annotations(value: unknown, name: string): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  const entries = Object.entries(object(value, `\`${name}\``, []));
  if (entries.some(([, item]) => typeof item !== 'string'))
    throw invalid(`has a value in \`${name}\` that is no text`);
  return Object.fromEntries(entries) as Record<string, string>;
}

function object(value: unknown, name: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`has no object as ${name}`);
  const lookalike = lookalikeKey(value, known);
  if (lookalike !== undefined) throw invalid(`has the look-alike key ${quote(lookalike)} in ${name}`);
  return value as Record<string, unknown>;
}

function text(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalid(`has a \`${name}\` that is no text`);
  return value;
}

function refuse(body: Record<string, unknown>, keys: readonly string[], kind: string): void {
  const key = keys.find((name) => body[name] !== undefined);
  if (key !== undefined) throw invalid(`is served as ${kind} and has \`${key}\``);
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function quote(value: unknown): string {
  return JSON.stringify(value ?? null).slice(0, 120);
}

function invalid(what: string): Failure {
  return new Failure('manifest-invalid', `The manifest ${what}.`);
}
