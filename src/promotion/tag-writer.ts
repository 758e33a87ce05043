import type { Waiting, WriteHook } from '../ledger/store.ts';
import type { Digest } from '../oci/digest.ts';
import { parseReference, type Reference, withDigest, withTag } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import type { RawManifest, Registry } from '../registry/registry.ts';

const readBackMs = 60_000;

/** What publishing needs of a registry: no engine, and no blob is ever moved. */
export type TagRegistry = Pick<Registry, 'head' | 'manifest' | 'putManifest'>;

/** Puts tags on digests that are in the registry, by the manifest's raw bytes, so that the digest stays the same. */
export interface TagWriter {
  /** What the tag is on right now; null: it is free. */
  current(image: string, tag: string): Promise<Digest | null>;
  /** Sends the bytes; the answer is not believed before `readBack`. Fails with `source-missing`. */
  put(image: string, tag: string, to: Digest): Promise<void>;
  /**
   * Waits until the registry shows the tag on `to`; some lag for seconds. Fails with `readback-timeout` where it is
   * still on `from` after a minute, with `dest-tag-conflict` where it is on a third digest.
   */
  readBack(image: string, tag: string, from: Digest | null, to: Digest): Promise<void>;
}

export function tagWriter(registry: TagRegistry, waiting: Waiting, write: WriteHook): TagWriter {
  const manifests = new Map<string, Promise<RawManifest | undefined>>();
  const bytesOf = (reference: Reference, digest: Digest): Promise<RawManifest | undefined> => {
    const key = `${reference.registry}/${reference.repository}@${digest}`;
    const known = manifests.get(key) ?? registry.manifest(withDigest(reference, digest));
    manifests.set(key, known);
    return known;
  };
  const current = async (image: string, tag: string): Promise<Digest | null> =>
    (await registry.head(withTag(parseReference(image), tag)))?.digest ?? null;

  return {
    current,
    async put(image, tag, to) {
      const reference = parseReference(image);
      const manifest = await bytesOf(reference, to);
      if (manifest === undefined)
        throw new Failure('source-missing', `${image}@${to} is not in the registry.`);
      await write(`put ${tag}`, () => registry.putManifest(withTag(reference, tag), manifest));
    },
    async readBack(image, tag, from, to) {
      const until = waiting.now() + readBackMs;
      for (let pause = 250; ; pause = Math.min(5000, pause * 2)) {
        const seen = await current(image, tag);
        if (seen === to) return;
        if (seen !== from) {
          throw new Failure(
            'dest-tag-conflict',
            `${image}:${tag} is on ${seen ?? 'nothing'} after it was put on ${to}.`,
          );
        }
        if (waiting.now() > until) {
          throw new Failure('readback-timeout', `${image}:${tag} does not show ${to} after a minute.`);
        }
        await waiting.sleep(pause);
      }
    },
  };
}
