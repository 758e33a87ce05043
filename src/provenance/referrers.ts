import type { Clock } from '../http/clock.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { type Descriptor, parseManifest } from '../oci/manifest.ts';
import { type Reference, withDigest } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import type { Registry } from '../registry/registry.ts';
import { readFallbackList } from './fallback-list.ts';
import { writeFallbackList } from './fallback-writer.ts';
import { type AttachedBundle, emptyConfig, listEntry, referrerManifest } from './referrer-manifest.ts';

export interface AttachRequest {
  readonly registry: Registry;
  /** The repository; tag and digest are not looked at. */
  readonly image: Reference;
  /** Digest of the index or platform manifest that the bundles are about. */
  readonly subject: Digest;
  readonly bundles: readonly AttachedBundle[];
  readonly clock: Clock;
}

export interface Attached {
  /** Digests of the referrer manifests, in the order of the bundles. */
  readonly referrers: readonly Digest[];
  readonly through: 'referrers-api' | 'fallback-tag';
}

/**
 * Hangs bundles on a manifest as OCI 1.1 referrers. Through the registry's own list only if the push says that it
 * honoured the subject, the list can be asked for, *and* shows what we pushed: each of the three alone has been seen
 * to lie. Else through the fallback tag. Attaching the same again changes nothing.
 *
 * @throws Failure `source-missing` (the subject is not there), `attach-contended`, and what the registry fails with
 */
export async function attach(request: AttachRequest): Promise<Attached> {
  const { registry, image, subject, bundles } = request;
  const about = await registry.manifest(withDigest(image, subject));
  if (about === undefined)
    throw new Failure('source-missing', `There is no ${subject} to attach anything to.`);
  const target: Descriptor = { mediaType: about.mediaType, digest: subject, size: about.bytes.length };
  const made = bundles.map((bundle) => ({ bundle, manifest: referrerManifest(bundle, target) }));

  await putOnce(request, emptyConfig.digest, emptyConfig.bytes);
  let honoured = made.length > 0;
  for (const { bundle, manifest } of made) {
    await putOnce(request, digestOf(bundle.bytes), bundle.bytes);
    const answer = await registry.putManifest(withDigest(image, manifest.digest), manifest);
    honoured &&= answer.subjectHonoured;
  }
  const referrers = made.map(({ manifest }) => manifest.digest);
  if (honoured && (await listed(request, referrers))) return { referrers, through: 'referrers-api' };
  await writeFallbackList({
    ...request,
    entries: made.map(({ bundle, manifest }) => listEntry(manifest, bundle)),
  });
  return { referrers, through: 'fallback-tag' };
}

/**
 * Everything that is listed as referring to this manifest, by the registry's own list and by the fallback tag
 * together: a registry that learnt the former may still hold the latter.
 */
export async function listReferrers(
  registry: Registry,
  image: Reference,
  subject: Digest,
): Promise<readonly Descriptor[]> {
  const own = await ownList(registry, image, subject);
  const fallback = await readFallbackList(registry, image, subject, undefined);
  const byDigest = new Map<Digest, Descriptor>();
  for (const entry of [...(fallback?.manifests ?? []), ...(own ?? [])]) byDigest.set(entry.digest, entry);
  return [...byDigest.values()];
}

async function ownList(
  registry: Registry,
  image: Reference,
  subject: Digest,
): Promise<readonly Descriptor[] | undefined> {
  const raw = await registry.referrers(image, subject);
  if (raw === undefined) return undefined;
  const list = parseManifest(raw.bytes, raw.mediaType, { listing: true });
  return list.kind === 'index' ? list.manifests : undefined;
}

/** Lists are indexed behind the push in some registries, so ours may take a moment to show. */
const LISTING_WAITS_MS = [0, 200, 1000];

async function listed(
  { registry, image, subject, clock }: AttachRequest,
  wanted: readonly Digest[],
): Promise<boolean> {
  for (const wait of LISTING_WAITS_MS) {
    if (wait > 0) await clock.sleep(wait);
    const own = await ownList(registry, image, subject);
    if (own === undefined) return false;
    const there = new Set(own.map((entry) => entry.digest));
    if (wanted.every((digest) => there.has(digest))) return true;
  }
  return false;
}

async function putOnce({ registry, image }: AttachRequest, digest: Digest, bytes: Uint8Array): Promise<void> {
  if (!(await registry.blobExists(image, digest))) await registry.putBlob(image, digest, bytes);
}
