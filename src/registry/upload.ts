import { createHash } from 'node:crypto';
import type { Attempt, HttpResponse, RequestBody } from '../http/http.ts';
import { isTransientStatus } from '../http/retry.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { type Reference, repositoryName } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import { errorsOf, isLostUpload } from './answers.ts';
import { chunksOf } from './chunks.ts';
import type { BlobSource } from './registry.ts';
import type { RegistryRequest, Session } from './session.ts';

/** One upload to one repository. */
interface Upload {
  readonly session: Session;
  readonly reference: Reference;
  readonly digest: Digest;
  readonly source: BlobSource;
  readonly size: number;
}

/** Up to this size a blob goes in one request; above, in pieces of it, so that a break costs one piece. */
export const chunkSize = 16 * 1024 * 1024;
/** A registry may check a large blob before it answers. */
const IDLE = 5 * 60_000;

/** What one way of uploading came to, or why the whole upload starts again. */
type Outcome = { readonly done: true } | { readonly restart: string };

/**
 * Uploads a blob unless it is there (distribution spec, "Pushing blobs"). After a break it looks first whether the
 * registry had it all, and starts again otherwise; an upload in pieces goes on where the registry says it stands.
 */
export async function putBlob(
  session: Session,
  reference: Reference,
  digest: Digest,
  given: BlobSource,
): Promise<void> {
  const small = !(given instanceof Uint8Array) && given.size <= chunkSize;
  const source = small ? await collect(given, digest) : given;
  const size = source instanceof Uint8Array ? source.length : source.size;
  const upload: Upload = { session, reference, digest, source, size };
  if (source instanceof Uint8Array && digestOf(source) !== digest) throw changed(digest);
  if (await isThere(upload)) return;
  // Ten minutes, and as long again as it takes at a megabyte a second.
  const deadline = 10 * 60_000 + size / 1000;
  const what = `upload of ${digest} to ${repositoryName(reference)}`;
  await session.http.retry({ what, deadline }, async (attempt): Promise<Attempt<void>> => {
    if (attempt > 1 && (await isThere(upload))) return { done: undefined };
    const { location, least } = await begin(upload);
    const pieces = size > chunkSize && least <= chunkSize;
    const outcome = pieces ? await inPieces(upload, location) : await whole(upload, location);
    if ('done' in outcome) return { done: undefined };
    return { again: true, why: outcome.restart, last: () => brokenOff(upload, outcome.restart) };
  });
}

async function collect(source: BlobSource, digest: Digest): Promise<Uint8Array> {
  for await (const only of chunksOf(source, chunkSize + 1)) return only;
  if (digest === digestOf('')) return new Uint8Array();
  throw changed(digest);
}

/** Only a yes saves the upload; any doubt costs no more than sending it, and its answer has the words that HEAD lacks. */
async function isThere({ session, reference, digest }: Upload): Promise<boolean> {
  const response = await session.send(reference, { method: 'HEAD', path: `blobs/${digest}`, doing: 'push' });
  if (isTransientStatus(response.status)) throw session.failure(reference, 'push', response);
  return response.ok;
}

/** Where to send it, and the smallest piece that the registry takes ("OCI-Chunk-Min-Length"). */
async function begin(upload: Upload): Promise<{ location: URL; least: number }> {
  const request = { method: 'POST', path: 'blobs/uploads/', doing: 'push', idempotent: true } as const;
  const response = await upload.session.send(upload.reference, request);
  if (response.status !== 202) throw upload.session.failure(upload.reference, 'push', response);
  return {
    location: locationOf(upload, response),
    least: Number(response.headers['oci-chunk-min-length'] ?? 0),
  };
}

/** "POST then PUT". */
async function whole(upload: Upload, location: URL): Promise<Outcome> {
  const { source, size } = upload;
  const body: RequestBody = source instanceof Uint8Array ? source : { size, open: () => source.open() };
  const sent = await attempt(upload, { method: 'PUT', url: closing(location, upload.digest), body });
  return 'answer' in sent ? closed(upload, sent.answer) : { restart: sent.passing };
}

/** "Pushing a blob in chunks". A registry that takes no pieces gets the whole in one request. */
async function inPieces(upload: Upload, begun: URL): Promise<Outcome> {
  const hash = createHash('sha256');
  let location = begun;
  let offset = 0;
  for await (const chunk of chunksOf(upload.source, chunkSize)) {
    hash.update(chunk);
    const sent = await piece(upload, location, chunk, offset);
    if ('refused' in sent) {
      const forbidden = sent.refused.status === 401 || sent.refused.status === 403;
      if (offset > 0 || forbidden) throw upload.session.failure(upload.reference, 'push', sent.refused);
      return whole(upload, (await begin(upload)).location);
    }
    if ('restart' in sent) return sent;
    location = sent.location;
    offset += chunk.length;
  }
  if (offset !== upload.size || `sha256:${hash.digest('hex')}` !== upload.digest)
    throw changed(upload.digest);
  return close(upload, location);
}

/** The end of an upload in pieces, tried on its own: everything has arrived already. */
function close(upload: Upload, location: URL): Promise<Outcome> {
  const what = `closing of ${upload.digest}`;
  return upload.session.http.retry({ what }, async (tried): Promise<Attempt<Outcome>> => {
    if (tried > 1 && (await isThere(upload))) return { done: { done: true } };
    const sent = await attempt(upload, { method: 'PUT', url: closing(location, upload.digest) });
    if ('answer' in sent) return { done: closed(upload, sent.answer) };
    if (sent.lost) return { done: { restart: sent.passing } };
    return { again: true, why: sent.passing, last: () => ({ restart: sent.passing }) };
  });
}

function closed(upload: Upload, answer: HttpResponse): Outcome {
  if (answer.status === 201) return { done: true };
  throw upload.session.failure(upload.reference, 'push', answer);
}

type Sent = { readonly location: URL } | { readonly restart: string } | { readonly refused: HttpResponse };

/** One piece; after a break the registry is asked how much of it arrived ("GET the upload's status"). */
async function piece(upload: Upload, begun: URL, chunk: Uint8Array, start: number): Promise<Sent> {
  const end = start + chunk.length;
  let location = begun;
  let from = start;
  return upload.session.http.retry(
    { what: `piece of ${upload.digest}` },
    async (tried): Promise<Attempt<Sent>> => {
      if (tried > 1) {
        const status = await upload.session.send(upload.reference, { url: location.href, doing: 'push' });
        const stands = /^(?:bytes=)?0-(\d+)$/.exec(status.headers.range ?? '')?.[1];
        // Nothing at all is told as `0-0`, which could be one byte as well; then the piece is refused and all starts again.
        const next = stands === undefined ? Number.NaN : stands === '0' ? 0 : Number(stands) + 1;
        if (status.status !== 204 || !(next >= start && next <= end))
          return { done: { restart: 'upload lost' } };
        location = locationOf(upload, status, location);
        from = next;
        if (from === end) return { done: { location } };
      }
      const sent = await attempt(upload, {
        method: 'PATCH',
        url: location.href,
        headers: { 'content-range': `${from}-${end - 1}` },
        body: chunk.subarray(from - start),
      });
      if ('answer' in sent) {
        const { answer } = sent;
        if (answer.status === 202) return { done: { location: locationOf(upload, answer, location) } };
        return { done: answer.status === 416 ? { restart: 'answered 416' } : { refused: answer } };
      }
      const restart = sent.passing;
      return sent.lost ? { done: { restart } } : { again: true, why: restart, last: () => ({ restart }) };
    },
  );
}

type Tried =
  | { readonly answer: HttpResponse }
  /** Worth another try; `lost`: from the start. */
  | { readonly passing: string; readonly lost: boolean };

/** One try of a request that sends something. */
async function attempt(
  upload: Upload,
  request: Pick<RegistryRequest, 'method' | 'url' | 'headers' | 'body'>,
): Promise<Tried> {
  const headers = { 'content-type': 'application/octet-stream', ...request.headers };
  const patient = { idle: IDLE, deadline: 60 * 60_000 };
  const full = { ...request, ...patient, headers, doing: 'push', idempotent: true } as const;
  const result = await upload.session.attempt(upload.reference, full);
  if (!('done' in result)) return { passing: result.why, lost: false };
  const answer = result.done;
  // We know that the digest is right: what arrived was damaged on the way.
  const lost = isLostUpload(answer) || errorsOf(answer).some(({ code }) => code === 'DIGEST_INVALID');
  return lost ? { passing: `answered ${answer.status}`, lost } : { answer };
}

/** The next address of an upload, absolute or not ("Location"); never on another host, which would get the blob. */
function locationOf(upload: Upload, response: HttpResponse, current?: URL): URL {
  const header = response.headers.location;
  const base = new URL(response.url);
  if (header === undefined && current !== undefined) return current;
  if (header !== undefined && URL.canParse(header, base.href)) {
    const location = new URL(header, base.href);
    if (location.origin === new URL(upload.session.urlOf(upload.reference, '')).origin) return location;
  }
  throw new Failure(
    'registry-failed',
    `${upload.reference.registry} sends uploads elsewhere; that is not followed.`,
  );
}

/** The digest is appended as text: parsing and writing the query again could change what a registry signed in it. */
function closing(location: URL, digest: Digest): string {
  return `${location.href}${location.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
}

function brokenOff({ reference, digest }: Upload, why: string): never {
  throw new Failure(
    'registry-failed',
    `The upload of ${digest} to ${repositoryName(reference)} broke off: ${why}.`,
    {
      remedy: 'Run the step again; what has arrived is not sent again.',
    },
  );
}

function changed(digest: Digest): Failure {
  return new Failure('candidate-changed', `What was to be uploaded is not ${digest} any more.`);
}
