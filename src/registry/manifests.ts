import { isTransientStatus } from '../http/retry.ts';
import { type Digest, digestOf, isDigest } from '../oci/digest.ts';
import { manifestLimit, parseManifest } from '../oci/manifest.ts';
import { isImageMediaType, isIndexMediaType, manifestMediaTypes, mediaTypeOf } from '../oci/media-types.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import { errorsOf, isAbsence } from './answers.ts';
import type { RawManifest } from './registry.ts';
import type { Session } from './session.ts';

/** All four, always: with fewer, a registry may convert what it has and serve it under another digest. */
const accept = manifestMediaTypes.join(', ');

const pathOf = (reference: Reference): string => {
  const name = reference.digest ?? reference.tag;
  if (name === undefined) {
    throw new Failure('reference-invalid', `${formatReference(reference)} has neither a tag nor a digest.`);
  }
  return `manifests/${name}`;
};

/**
 * Digest and type by HEAD (distribution spec, "Checking if content exists in the registry"). Whatever HEAD leaves
 * open is asked by GET: no digest header, a refusal that has no words, a 404 that could be a proxy's.
 */
export async function headManifest(
  session: Session,
  reference: Reference,
): Promise<{ digest: Digest; mediaType: string } | undefined> {
  const request = { method: 'HEAD', path: pathOf(reference), doing: 'pull', headers: { accept } } as const;
  const response = await session.send(reference, request);
  if (isTransientStatus(response.status)) throw session.failure(reference, 'pull', response);
  if (isAbsence(response)) return undefined;
  const digest = response.headers['docker-content-digest'] ?? '';
  const mediaType = mediaTypeOf(response.headers['content-type']);
  if (response.ok && isDigest(digest) && (isImageMediaType(mediaType) || isIndexMediaType(mediaType))) {
    if (reference.digest !== undefined && digest !== reference.digest) throw wrongDigest(reference, digest);
    return { digest, mediaType };
  }
  const manifest = await getManifest(session, reference);
  return manifest && { digest: manifest.digest, mediaType: manifest.mediaType };
}

/** Distribution spec, "Pulling manifests". The digest is what we hash, and must be the one that was asked for. */
export async function getManifest(session: Session, reference: Reference): Promise<RawManifest | undefined> {
  const response = await session.send(reference, {
    path: pathOf(reference),
    doing: 'pull',
    headers: { accept },
    limit: manifestLimit,
    verbatim: true,
  });
  if (isAbsence(response)) return undefined;
  if (response.status !== 200) throw session.failure(reference, 'pull', response);
  const digest = digestOf(response.body);
  const claimed = response.headers['docker-content-digest'];
  for (const expected of [reference.digest, claimed]) {
    if (expected !== undefined && expected !== '' && expected !== digest)
      throw wrongDigest(reference, digest);
  }
  const mediaType = mediaTypeOf(response.headers['content-type']);
  // An index of indexes may be a list of referrers; where it is taken as an image, `contents` refuses it.
  parseManifest(response.body, mediaType, { listing: true });
  return { bytes: response.body, mediaType, digest };
}

/**
 * Distribution spec, "Pushing Manifests" and "Pushing Manifests with Subject". The same bytes are put again after a
 * lost answer, which changes nothing.
 */
export async function putManifest(
  session: Session,
  reference: Reference,
  manifest: { readonly bytes: Uint8Array; readonly mediaType: string },
  options: { readonly once?: boolean } = {},
): Promise<{ digest: Digest; subjectHonoured: boolean }> {
  const { subject } = parseManifest(manifest.bytes, manifest.mediaType, { listing: true });
  const digest = digestOf(manifest.bytes);
  if (reference.digest !== undefined && reference.digest !== digest) throw wrongDigest(reference, digest);
  const tag = reference.digest === undefined ? reference.tag : undefined;
  let blobless = 0;
  const response = await session.send(reference, {
    method: 'PUT',
    path: pathOf(reference),
    doing: 'push',
    headers: { 'content-type': manifest.mediaType },
    body: manifest.bytes,
    ...(options.once === true ? { tries: 1 } : {}),
    transient: (answer) => {
      const codes = errorsOf(answer).map(({ code }) => code);
      // We know that the digest is right: registries say this when two writers meet.
      if (codes.includes('DIGEST_INVALID')) return true;
      // Blobs that were just pushed may be seen a moment later. A missing child stays missing, so not for long.
      return (
        codes.some((code) => code === 'MANIFEST_BLOB_UNKNOWN' || code === 'BLOB_UNKNOWN') && ++blobless < 3
      );
    },
  });
  // Not any success: a proxy's own page is a 200.
  if (response.status !== 201) throw session.failure(reference, 'push', response, tag);
  const claimed = response.headers['docker-content-digest'] ?? '';
  if (claimed !== '' && claimed !== digest) throw wrongDigest(reference, digest);
  return {
    digest,
    subjectHonoured: subject !== undefined && response.headers['oci-subject'] === subject.digest,
  };
}

function wrongDigest(reference: Reference, digest: string): Failure {
  return new Failure(
    'manifest-invalid',
    `What ${reference.registry} has as ${formatReference(reference)} and the digest it gives it disagree (${digest}).`,
  );
}
