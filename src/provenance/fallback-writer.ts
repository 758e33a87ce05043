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

/** How long an entry must be seen to stay before it is reported as written. */
const SETTLED_MS = 1000;
const SETTLED_WRITES = 10;

/** How many writes in a row may be refused: distribution answers DIGEST_INVALID while another write is under way. */
const MOST_REFUSALS = 8;

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
  await new FallbackWriter(write).run();
}

class FallbackWriter {
  private readonly write: FallbackWrite;
  /** Every entry that any reading showed, and ours: what must be in the list at the end. */
  private readonly wanted: Map<Digest, Descriptor>;
  private readonly own: ReadonlySet<Digest>;
  /** The longest that a write of ours took, in milliseconds: what others' may take is guessed from it. */
  private slowest = 10;
  private refusals = 0;

  constructor(write: FallbackWrite) {
    this.write = write;
    this.wanted = new Map(write.entries.map((entry) => [entry.digest, entry]));
    this.own = new Set(this.wanted.keys());
  }

  async run(): Promise<void> {
    const { clock } = this.write;
    const began = clock.now();
    for (let round = 0; clock.now() - began < BUDGET_MS; round++) {
      // The wait comes before the read: between read and write is the gap that other writers fall into.
      if (round > 0)
        await clock.sleep(clock.random() * Math.min(3000, this.slowest * 2 ** Math.min(round, 8)));
      const list = await this.read();
      const missing = await this.missing(list);
      // Found as it should be, and nothing written: nobody to be wary of.
      if (missing.length === 0 && round === 0) return;
      if (missing.length > 0 && !(await this.put(withEntries(list, missing)))) continue;
      if (await this.stays(Math.max(SETTLED_MS, SETTLED_WRITES * this.slowest))) return;
    }
    throw new Failure('attach-contended');
  }

  private async read(): Promise<FallbackList | undefined> {
    const { registry, image, subject, clock } = this.write;
    const list = await readFallbackList(registry, image, subject, clock);
    for (const entry of list?.manifests ?? []) this.wanted.set(entry.digest, entry);
    return list;
  }

  /** What must be put in: ours, and what others had put in and somebody wiped out. */
  private async missing(list: FallbackList | undefined): Promise<Descriptor[]> {
    const there = new Set(list?.manifests.map((entry) => entry.digest));
    const missing: Descriptor[] = [];
    for (const entry of this.wanted.values()) {
      if (there.has(entry.digest)) continue;
      // An entry that somebody removed on purpose has no manifest any more, and must not come back.
      if (this.own.has(entry.digest) || (await this.exists(entry.digest))) missing.push(entry);
      else this.wanted.delete(entry.digest);
    }
    return missing;
  }

  /** Watches the list, more often at first: an entry that is wiped out is usually gone at once. */
  private async stays(forMs: number): Promise<boolean> {
    for (const share of [0, 1 / 8, 1 / 8, 1 / 4, 1 / 2]) {
      await this.write.clock.sleep(forMs * share);
      const list = await this.read();
      const there = new Set(list?.manifests.map((entry) => entry.digest));
      if (![...this.wanted.keys()].every((digest) => there.has(digest))) return false;
    }
    return true;
  }

  /**
   * One write, `false` where it was refused in a way that a fresh reading may cure. Never repeated as it is, not even
   * by the client below: by then the list may have entries that these bytes would wipe out.
   */
  private async put(list: FallbackList): Promise<boolean> {
    const { registry, image, subject } = this.write;
    const gone = this.refusals === 0 ? new Set<Digest>() : await this.dead(list);
    for (const digest of gone) {
      if (this.own.has(digest))
        throw new Failure('attach-contended', 'The attestation was deleted while it was listed.');
    }
    const began = this.write.clock.now();
    try {
      const tag = withTag(image, fallbackTag(subject));
      await registry.putManifest(tag, listBytes(withoutEntries(list, gone)), { once: true });
      this.refusals = 0;
      this.slowest = Math.max(this.slowest, this.write.clock.now() - began);
      return true;
    } catch (error) {
      const refused =
        error instanceof Failure &&
        (error.code === 'registry-failed' || error.code === 'registry-unreachable');
      if (!refused || ++this.refusals >= MOST_REFUSALS) throw error;
      return false;
    }
  }

  /** One entry whose manifest is gone makes a registry refuse every later write of the list. */
  private async dead(list: FallbackList): Promise<ReadonlySet<Digest>> {
    const gone = new Set<Digest>();
    for (const { digest } of list.manifests) if (!(await this.exists(digest))) gone.add(digest);
    return gone;
  }

  /** Only a 404 says that it is gone; any other answer is a Failure and ends the attempt. */
  private async exists(digest: Digest): Promise<boolean> {
    const { registry, image } = this.write;
    return (await registry.head(withDigest(image, digest))) !== undefined;
  }
}
