import { type Digest, digestOf } from '../oci/digest.ts';
import { type Reference, repositoryName } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import { isAbsence } from './answers.ts';
import type { Session } from './session.ts';

/** Configs and bundles; layers are never read. */
const DEFAULT_LIMIT = 8 * 1024 * 1024;

/** Distribution spec, "Pulling blobs". What does not hash to the digest is refused, wherever it was redirected to. */
export async function getBlob(
  session: Session,
  reference: Reference,
  digest: Digest,
  limit = DEFAULT_LIMIT,
): Promise<Uint8Array | undefined> {
  const request = { path: `blobs/${digest}`, doing: 'pull', limit, verbatim: true } as const;
  const response = await session.send(reference, request);
  if (isAbsence(response)) return undefined;
  if (response.status !== 200) throw session.failure(reference, 'pull', response);
  const found = digestOf(response.body);
  if (found !== digest) {
    throw new Failure(
      'manifest-invalid',
      `${repositoryName(reference)} serves ${found} as the blob ${digest}.`,
    );
  }
  return response.body;
}

/** Distribution spec, "Checking if content exists in the registry". A 404 that is not a registry's is no answer. */
export async function blobExists(session: Session, reference: Reference, digest: Digest): Promise<boolean> {
  const path = `blobs/${digest}`;
  const response = await session.send(reference, { method: 'HEAD', path, doing: 'pull' });
  if (response.ok) return true;
  if (isAbsence(response)) return false;
  // A storage server that we were sent on to may refuse HEAD alone.
  const own = new URL(response.url).origin === new URL(session.urlOf(reference, path)).origin;
  if (response.status !== 404 && own) throw session.failure(reference, 'pull', response);
  // HEAD has no body to tell by; one byte is enough to ask for.
  const headers = { range: 'bytes=0-0' };
  const answer = await session.send(reference, {
    path,
    doing: 'pull',
    headers,
    verbatim: true,
    limit: DEFAULT_LIMIT,
  });
  if (isAbsence(answer)) return false;
  if (answer.ok) return true;
  throw session.failure(reference, 'pull', answer);
}

/** Distribution spec, "Mounting a blob from another repository". False: it has to be uploaded. */
export async function mountBlob(
  session: Session,
  reference: Reference,
  digest: Digest,
  from: string,
): Promise<boolean> {
  const query = new URLSearchParams({ mount: digest, from });
  const response = await session.send(reference, {
    method: 'POST',
    path: `blobs/uploads/?${query}`,
    doing: 'push',
    from,
    // A second upload that is never finished harms nobody.
    idempotent: true,
  });
  // Anything else leaves the upload, which tells what is wrong if something is.
  return response.status === 201;
}
