import type { CanonicalRecord } from '../ledger/record.ts';
import { tagOfVersion } from '../oci/tag.ts';
import { floatingNames } from '../rules/floating-tags.ts';
import { digestIn } from './plan.ts';
import type { TagWriter } from './tag-writer.ts';

/** The tags that show the canonical's digest now, the exact version first: what is reported is what is there. */
export async function publishedTags(
  record: CanonicalRecord,
  images: readonly string[],
  tags: Pick<TagWriter, 'current'>,
): Promise<readonly string[]> {
  const names = [tagOfVersion(record.version), ...floatingNames(record.version)];
  const found = new Set<string>();
  for (const image of images) {
    const digest = digestIn(record.subject, image);
    for (const name of names) {
      if (digest !== undefined && (await tags.current(image, name)) === digest) found.add(name);
    }
  }
  return names.filter((name) => found.has(name));
}
