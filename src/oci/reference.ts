import { Failure } from '../outcome.ts';
import { type Digest, isDigest } from './digest.ts';

/**
 * An image reference, fully qualified: `registry` is a host with optional port (`docker.io` where none was
 * written), `repository` has `library/` added on Docker Hub. `tag` and `digest` may both be absent.
 */
export interface Reference {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

// The grammar is the one of the distribution project's `reference` package, which every engine follows.
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const HUB = 'docker.io';
const HUB_ALIASES: ReadonlySet<string> = new Set(['index.docker.io', 'registry-1.docker.io']);

/** Whether this text can be a tag: 1 to 128 characters of `[A-Za-z0-9_.-]`, not starting with `.` or `-`. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether this text is a repository name as a registry's API takes it, `library/alpine`. */
export function isRepository(text: string): boolean {
  return text.length <= 255 && REPOSITORY.test(text);
}

/** Whether this text is a registry's host with optional port. */
export function isRegistryHost(text: string): boolean {
  return HOST.test(text);
}

/**
 * Reads `[host[:port]/]name[:tag][@sha256:…]` as the engines do: the first part is a host only if it has a dot, a
 * colon or an upper-case letter, or is `localhost`; all else is on Docker Hub, where one-part names are in
 * `library/`. No tag is added. Fails with `reference-invalid`.
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) {
    throw invalid(text, 'what follows `@` is not a sha256 digest');
  }
  const { registry, rest } = splitHost(at < 0 ? text : text.slice(0, at));
  // The host is split off, so the only colon left is the tag's.
  const colon = rest.indexOf(':');
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const repository = registry === HUB && !path.includes('/') ? `library/${path}` : path;

  if (!isRegistryHost(registry)) throw invalid(text, 'its host is not one');
  if (!isRepository(repository)) {
    const lower = path.toLowerCase();
    if (isRepository(lower)) throw invalid(text, 'repository names are lower-case');
    throw invalid(text, 'its repository name is not one');
  }
  // Engines read 64 bare hex digits as an image id, never as a name.
  if (/^(?:library\/)?[0-9a-f]{64}$/.test(repository)) throw invalid(text, 'it is an image id');
  if (tag !== undefined && !isTag(tag)) throw invalid(text, 'its tag is not one');
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function splitHost(name: string): { registry: string; rest: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  if (!isHost) return { registry: HUB, rest: name };
  const host = first.toLowerCase();
  return { registry: HUB_ALIASES.has(host) ? HUB : host, rest: name.slice(slash + 1) };
}

/** The full form, `host/repository[:tag][@digest]`; `parseReference` reads it back to the same. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${repositoryName(reference)}${tag}${digest}`;
}

/** `host/repository`, without tag and digest. */
export function repositoryName(reference: Reference): string {
  return `${reference.registry}/${reference.repository}`;
}

/** The same repository at this tag and no digest. */
export function withTag(reference: Reference, tag: string): Reference {
  if (!isTag(tag)) throw invalid(`${repositoryName(reference)}:${tag}`, 'its tag is not one');
  return { registry: reference.registry, repository: reference.repository, tag };
}

/** The same repository at this digest and no tag. */
export function withDigest(reference: Reference, digest: Digest): Reference {
  return { registry: reference.registry, repository: reference.repository, digest };
}

/**
 * GitHub's registry takes lower-case names only, and owners and repositories may have capitals: the name of an
 * image on `ghcr.io` in lower case, its tag and digest as they were; every other reference unchanged.
 */
export function lowerCaseGhcr(text: string): string {
  if (!/^ghcr\.io\//i.test(text)) return text;
  const end = text.slice('ghcr.io/'.length).search(/[:@]/);
  const length = end < 0 ? text.length : 'ghcr.io/'.length + end;
  return text.slice(0, length).toLowerCase() + text.slice(length);
}

function invalid(text: string, why: string): Failure {
  return new Failure(
    'reference-invalid',
    `The image reference ${JSON.stringify(text.slice(0, 300))} is not valid: ${why}.`,
  );
}
