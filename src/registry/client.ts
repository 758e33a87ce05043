import type { Digest } from '../oci/digest.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { blobExists, getBlob, mountBlob } from './blobs.ts';
import { imageContents } from './contents.ts';
import { listReferrers, listTags } from './listing.ts';
import { getManifest, headManifest, putManifest } from './manifests.ts';
import { isOpen } from './open.ts';
import type { Registry } from './registry.ts';
import { createSession, type SessionOptions } from './session.ts';
import { putBlob } from './upload.ts';

export type RegistryOptions = SessionOptions;

/** The client of all registries of a run. Nothing is asked before the first call. */
export function createRegistry(options: RegistryOptions): Registry {
  const session = createSession(options);
  const resolved = new Map<string, Promise<{ digest: Digest; mediaType: string } | undefined>>();

  function resolve(reference: Reference) {
    const key = formatReference(reference);
    const known = resolved.get(key);
    if (known !== undefined) return known;
    const asked = headManifest(session, reference);
    resolved.set(key, asked);
    // An answer is remembered, a failure is not.
    asked.catch(() => resolved.delete(key));
    return asked;
  }

  return {
    resolve,
    head: (reference) => headManifest(session, reference),
    manifest: (reference) => getManifest(session, reference),
    contents: (reference) => imageContents(session, reference),
    blob: (reference, digest, limit) => getBlob(session, reference, digest, limit),
    blobExists: (reference, digest) => blobExists(session, reference, digest),
    putBlob: (reference, digest, source) => putBlob(session, reference, digest, source),
    mountBlob: (reference, digest, from) => mountBlob(session, reference, digest, from),
    async putManifest(reference, manifest, options) {
      try {
        return await putManifest(session, reference, manifest, options);
      } finally {
        // Also after a failure: the registry may have acted.
        resolved.delete(formatReference(reference));
      }
    },
    tags: (reference) => listTags(session, reference),
    isOpen: (reference) => isOpen(session, reference),
    referrers: (reference, digest) => listReferrers(session, reference, digest),
  };
}
