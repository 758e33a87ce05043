import type { Digest } from '../oci/digest.ts';
import { formatReference, withDigest } from '../oci/reference.ts';
import type { Base } from './bases.ts';
import type { Dockerfile } from './dockerfile.ts';

/**
 * The Dockerfile with each image replaced by `name@digest`, so that the build uses what the recipe records. Bases
 * without a digest in `digests` (by full reference) stay as they are. Every instruction stays on its line: what a
 * builder says about line 12 is true of the file that people see.
 */
export function withResolvedBases(
  dockerfile: Dockerfile,
  bases: readonly Base[],
  digests: ReadonlyMap<string, Digest>,
): Uint8Array {
  const text = Buffer.from(dockerfile.bytes).toString('latin1');
  const placed = bases.flatMap((base) => (base.place === undefined ? [] : [{ ...base, place: base.place }]));
  let pinned = '';
  let at = 0;
  for (const { reference, place } of placed.sort((a, b) => a.place.start - b.place.start)) {
    const digest = reference.digest ?? digests.get(formatReference(reference));
    // An instruction with two mounts names two words; one with two `from=` in one word is refused by builders.
    if (digest === undefined || place.start < at) continue;
    const name = formatReference(withDigest(reference, digest));
    const breaks = text.slice(place.start, place.end).split('\n').length - 1;
    const kept = `${dockerfile.escape}\n`.repeat(breaks);
    pinned += `${text.slice(at, place.start)}${kept}${place.before}${name}${place.after}`;
    at = place.end;
  }
  return Buffer.from(pinned + text.slice(at), 'latin1');
}
