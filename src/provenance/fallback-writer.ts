import type { Clock } from '../http/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { type Reference, withDigest, withTag } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import type { Registry } from '../registry/registry.ts';
import {
  type FallbackList,
  listBytes,
  readFallbackList,
  withEntries,
  withoutEntries,
} from './fallback-list.ts';
import { fallbackTag } from './referrer-manifest.ts';

/** Give up after this long: by then somebody else is doing something that no repetition cures. */
const BUDGET_MS = 120_000;

/** How long an entry must be seen to stay before it is reported as written, in milliseconds. */
const SETTLED_MS = 1000;
const SETTLED_ROUND_TRIPS = 6;

export interface FallbackWrite {
  readonly registry: Registry;
  readonly image: Reference;
  readonly subject: Digest;
  readonly entries: readonly Descriptor[];
  readonly clock: Clock;
}

/**
 * Puts entries into the list at the fallback tag. Registries have no compare-and-swap on tags (conditional requests
 * are ignored), so another writer that read before our write landed may wipe it out with its own. Therefore:
 * append, write, and see the entry *stay* for longer than anyone's read-and-write takes; if it is gone, or if an
 * entry of somebody else went that is still in the registry, write again, after a random wait that grows.
 *
 * @throws Failure `attach-contended` when that took too long, and whatever the registry fails with
 */
export async function writeFallbackList(write: FallbackWrite): Promise<void> {
  const { clock } = write;
  const began = clock.now();
  const seen = new Map<Digest, Descriptor>(write.entries.map((entry) => [entry.digest, entry]));
  let roundTrip = 10;
  let wrote = false;
  for (let losses = 0; clock.now() - began < BUDGET_MS; losses++) {
    // The wait comes before the read, not between read and write: that gap is what others' writes fall into.
    if (wrote) await clock.sleep(clock.random() * Math.min(3000, roundTrip * 2 ** Math.min(losses, 8)));
    const readAt = clock.now();
    const list = await readFallbackList(write.registry, write.image, write.subject, clock);
    const missing = await missingFrom(list, seen, write);
    if (missing.length > 0) {
      await put(write, withEntries(list, missing));
      wrote = true;
      roundTrip = Math.max(roundTrip, clock.now() - readAt);
    }
    // Nobody to be wary of where our entries were found already and nothing was written.
    if (!wrote || (await stays(write, seen, Math.max(SETTLED_MS, SETTLED_ROUND_TRIPS * roundTrip)))) return;
  }
  throw new Failure('attach-contended');
}

/** What must be put in: ours, and what others had put in and we wiped out or saw wiped out. */
async function missingFrom(
  list: FallbackList | undefined,
  seen: Map<Digest, Descriptor>,
  write: FallbackWrite,
): Promise<Descriptor[]> {
  const there = new Set(list?.manifests.map((entry) => entry.digest));
  for (const entry of list?.manifests ?? []) seen.set(entry.digest, entry);
  const own = new Set(write.entries.map((entry) => entry.digest));
  const missing: Descriptor[] = [];
  for (const entry of seen.values()) {
    if (there.has(entry.digest)) continue;
    // An entry that somebody removed on purpose has no manifest any more, and must not come back.
    if (own.has(entry.digest) || (await exists(write, entry.digest))) missing.push(entry);
    else seen.delete(entry.digest);
  }
  return missing;
}

/** Watches the list, more often at first: a wiped-out entry is usually gone at once. */
async function stays(write: FallbackWrite, seen: Map<Digest, Descriptor>, forMs: number): Promise<boolean> {
  for (const share of [0, 1 / 8, 1 / 8, 1 / 4, 1 / 2]) {
    await write.clock.sleep(forMs * share);
    const list = await readFallbackList(write.registry, write.image, write.subject, write.clock);
    const there = new Set(list?.manifests.map((entry) => entry.digest));
    for (const entry of list?.manifests ?? []) seen.set(entry.digest, entry);
    if (![...seen.keys()].every((digest) => there.has(digest))) return false;
  }
  return true;
}

/** How often a refused write is tried: distribution answers DIGEST_INVALID while another write is under way. */
const PUT_TRIES = 5;

async function put(write: FallbackWrite, list: FallbackList): Promise<void> {
  let wanted = list;
  for (let attempt = 1; ; attempt++) {
    const made = listBytes(wanted);
    try {
      await write.registry.putManifest(withTag(write.image, fallbackTag(write.subject)), made);
      return;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'registry-failed' || attempt === PUT_TRIES)
        throw error;
      // One entry whose manifest is gone makes a registry refuse every later write of the list.
      const gone = await deadEntries(write, wanted);
      if (gone.size === 0) await write.clock.sleep(write.clock.random() * 50 * attempt);
      else wanted = withoutEntries(wanted, gone);
    }
  }
}

async function deadEntries(write: FallbackWrite, list: FallbackList): Promise<Set<Digest>> {
  const gone = new Set<Digest>();
  for (const { digest } of list.manifests) if (!(await exists(write, digest))) gone.add(digest);
  return gone;
}

/** Only a 404 says that it is gone; any other answer is a Failure and ends the attempt. */
async function exists({ registry, image }: FallbackWrite, digest: Digest): Promise<boolean> {
  return (await registry.head(withDigest(image, digest))) !== undefined;
}
