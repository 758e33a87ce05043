import type { Ledger, PromotedRelease } from '../ledger/ledger.ts';
import type { CanonicalRecord } from '../ledger/record.ts';
import type { Digest } from '../oci/digest.ts';
import {
  type FloatingCandidate,
  type FloatingPlan,
  floatingNames,
  floatingTargets,
  planFloatingTags,
} from '../rules/floating-tags.ts';
import { compareVersions, parseVersion } from '../rules/version.ts';
import type { TagMove } from './plan.ts';
import type { TagWriter } from './tag-writer.ts';

/**
 * The promoted releases of an image that may hold its floating tags when `canonical` is this recipe's: none that is
 * held, and of no recipe one that is newer than its canonical, since a rollback went behind it. Recipes of the same
 * image (maintenance lines) share its floating tags.
 */
export function releasesThatCount(
  promoted: readonly PromotedRelease[],
  recipe: string,
  canonical: string,
): readonly FloatingCandidate[] {
  const limits = new Map(
    promoted.filter((release) => release.canonical).map((release) => [release.recipe, release.version]),
  );
  limits.set(recipe, canonical);
  return promoted.filter((release) => {
    if (release.held) return false;
    const limit = parseVersion(limits.get(release.recipe) ?? release.version);
    const version = parseVersion(release.version);
    return limit === undefined || version === undefined || compareVersions(version, limit) <= 0;
  });
}

/** Where the registry has the floating tags of a version. */
export async function currentFloating(
  tags: TagWriter,
  image: string,
  version: string,
): Promise<ReadonlyMap<string, Digest>> {
  const found = new Map<string, Digest>();
  for (const tag of floatingNames(version)) {
    const digest = await tags.current(image, tag);
    if (digest !== null) found.set(tag, digest);
  }
  return found;
}

/** The floating tags of one image that follow this release. */
export async function floatingPlan(
  ledger: Ledger,
  tags: TagWriter,
  recipe: string,
  image: string,
  candidate: FloatingCandidate,
): Promise<FloatingPlan> {
  const promoted = releasesThatCount(await ledger.promoted(image), recipe, candidate.version);
  return planFloatingTags(promoted, candidate, await currentFloating(tags, image, candidate.version));
}

/** Where the ledger says that the floating tags of these images belong while this record is the canonical. */
export async function floatingOfRecord(
  ledger: Ledger,
  record: CanonicalRecord,
  images: readonly string[],
): Promise<readonly Omit<TagMove, 'from'>[]> {
  const all: Omit<TagMove, 'from'>[] = [];
  for (const image of images) {
    const targets = floatingTargets(
      releasesThatCount(await ledger.promoted(image), record.recipe, record.version),
    );
    all.push(...[...targets].map(([tag, { digest }]) => ({ image, tag, to: digest })));
  }
  return all;
}
