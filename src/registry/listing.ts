import type { HttpResponse } from '../http/http.ts';
import { nextLink } from '../http/link.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { type Descriptor, manifestLimit, parseManifest } from '../oci/manifest.ts';
import { makeIndex } from '../oci/manifest-bytes.ts';
import { mediaTypeOf, ociIndex } from '../oci/media-types.ts';
import { isTag, type Reference, repositoryName } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import { isAbsence } from './answers.ts';
import type { RawManifest } from './registry.ts';
import type { RegistryRequest, Session } from './session.ts';

const MOST_PAGES = 200;

/** Distribution spec, "Content Discovery": a list in pages, each naming the next in `Link`. All of it or a Failure. */
async function* pages(
  session: Session,
  reference: Reference,
  path: string,
  request: Pick<RegistryRequest, 'headers' | 'limit' | 'verbatim'>,
): AsyncGenerator<HttpResponse> {
  const first = session.urlOf(reference, path);
  const { origin, pathname } = new URL(first);
  const seen = new Set<string>();
  for (let url: string | undefined = first; url !== undefined; ) {
    if (seen.size >= MOST_PAGES || seen.has(url)) throw refuse(reference, 'has no end');
    seen.add(url);
    const response = await session.send(reference, { ...request, url, doing: 'pull' });
    yield response;
    const next = nextLink(response.headers.link);
    if (next === undefined) return;
    const target: URL | undefined = URL.canParse(next, url) ? new URL(next, url) : undefined;
    // A next page elsewhere would be another list, read with our credentials.
    if (target?.origin !== origin || target.pathname !== pathname)
      throw refuse(reference, 'goes on elsewhere');
    url = target.href;
  }
}

/** Distribution spec, "Listing Tags". No repository has no tags; names that are no tags are left out. */
export async function listTags(session: Session, reference: Reference): Promise<readonly string[]> {
  const tags: string[] = [];
  for await (const response of pages(session, reference, 'tags/list?n=1000', {})) {
    if (isAbsence(response)) return [];
    if (response.status !== 200) throw session.failure(reference, 'pull', response);
    const body = response.json();
    const list = typeof body === 'object' && body !== null && 'tags' in body ? body.tags : undefined;
    // A repository without tags has null.
    if (list !== null && !Array.isArray(list)) throw refuse(reference, 'is none');
    tags.push(...(list ?? []).filter((tag: unknown) => typeof tag === 'string' && isTag(tag)));
  }
  return tags;
}

/** What registries without a referrers API answer; the specified one is 404. */
const NO_API: ReadonlySet<number> = new Set([400, 404, 405, 406, 501]);

/**
 * Distribution spec, "Listing Referrers": an OCI index, by exact content type; any other success is a server that
 * answers everything. Several pages become one index of our making.
 */
export async function listReferrers(
  session: Session,
  reference: Reference,
  digest: Digest,
): Promise<RawManifest | undefined> {
  const found: Descriptor[] = [];
  const raw: Uint8Array[] = [];
  const request = { headers: { accept: ociIndex }, limit: manifestLimit, verbatim: true };
  for await (const response of pages(session, reference, `referrers/${digest}`, request)) {
    if (NO_API.has(response.status) && raw.length === 0) return undefined;
    if (response.status !== 200) throw session.failure(reference, 'pull', response);
    if (mediaTypeOf(response.headers['content-type']) !== ociIndex) return undefined;
    const index = parseManifest(response.body, ociIndex, { listing: true });
    if (index.kind === 'index') found.push(...index.manifests);
    raw.push(response.body);
  }
  const [only] = raw;
  if (only !== undefined && raw.length === 1)
    return { bytes: only, mediaType: ociIndex, digest: digestOf(only) };
  return makeIndex({ manifests: found });
}

function refuse(reference: Reference, what: string): Failure {
  return new Failure('registry-failed', `A list of ${repositoryName(reference)} ${what}.`);
}
