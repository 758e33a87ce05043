import type { Digest } from '../oci/digest.ts';
import { formatReference, type Reference } from '../oci/reference.ts';

/** What a reference points at now; `undefined` where the registry has it not. All else is a Failure. */
export type Resolve = (reference: Reference) => Promise<Digest | undefined>;

/**
 * Digests by full reference, each asked for once; a reference with a digest is its own answer. What has none is
 * missing from the map.
 */
export async function resolveAll(
  references: readonly Reference[],
  resolve: Resolve,
): Promise<ReadonlyMap<string, Digest>> {
  const wanted = new Map(references.map((reference) => [formatReference(reference), reference] as const));
  const answers = await Promise.all(
    [...wanted].map(
      async ([name, reference]) => [name, reference.digest ?? (await resolve(reference))] as const,
    ),
  );
  const digests = new Map<string, Digest>();
  for (const [name, digest] of answers) if (digest !== undefined) digests.set(name, digest);
  return digests;
}
