import type { Digest } from '../oci/digest.ts';
import { compareVersions, parseVersion } from './version.ts';

/** Where an image of the same recipe may be, in the order in which it is looked for. */
export type Place = 'version' | 'commit' | 'edge' | 'canonical';

export const places: readonly Place[] = ['version', 'commit', 'edge', 'canonical'];

/** What was found in one place. Labels and platforms are the image's own words. */
export interface Found {
  readonly place: Place;
  readonly digest: Digest;
  /** Labels of each platform. */
  readonly labels: readonly Readonly<Record<string, string>>[];
}

/**
 * Why an image is believed to be of a recipe: the ledger names the digest with it, this process built it, or a
 * bundle on the digest verifies against the release identity and names it. Labels are no proof: everybody who can
 * push can write them.
 */
export interface Proof {
  readonly digest: Digest;
  readonly recipeDigest: string;
  readonly by: 'ledger' | 'this-run' | 'bundle';
}

export interface Wanted {
  /** Absent where a base has no digest: then nothing is reused. */
  readonly recipeDigest?: string;
  /** The label set of this candidate. */
  readonly labels: Readonly<Record<string, string>>;
  /**
   * The commit of the release tag; absent where no release is being released, or where the release is younger than
   * the first one that knowngood promoted: then its image cannot be from before.
   */
  readonly adoptableCommit?: string;
  /** A new manifest over old layers can be put: the run pushes. */
  readonly canRelabel: boolean;
}

export type Reuse =
  | { readonly source: 'unchanged'; readonly digest: Digest; readonly place: Place; readonly by: Proof['by'] }
  | {
      readonly source: 'relabelled';
      readonly digest: Digest;
      readonly place: Place;
      readonly by: Proof['by'];
    }
  | { readonly source: 'adopted'; readonly digest: Digest; readonly place: 'version' }
  | {
      readonly source: 'built';
      readonly refused: readonly { readonly found: Found; readonly why: string }[];
    };

/**
 * Whether an image of this version can be from before knowngood: nothing of the recipe was promoted yet, or the
 * version is not above the first one that was. A version that is none can not.
 */
export function isBeforeFirst(version: string, firstPromoted: string | undefined): boolean {
  const own = parseVersion(version);
  const first = firstPromoted === undefined ? undefined : parseVersion(firstPromoted);
  return (
    own !== undefined &&
    (firstPromoted === undefined || (first !== undefined && compareVersions(own, first) <= 0))
  );
}

/**
 * What can be used instead of a build: an image of the same recipe and labels; one of the same recipe, with new
 * labels; or a version tag from before knowngood that says to be of this very commit. Each place is judged for the
 * first of these before any is judged for the second.
 */
export function decideReuse(wanted: Wanted, found: readonly Found[], proofs: readonly Proof[]): Reuse {
  const ordered = [...found].sort((a, b) => places.indexOf(a.place) - places.indexOf(b.place));
  const proven = ordered.flatMap((image) => {
    const proof = proofs.find(
      ({ digest, recipeDigest }) => digest === image.digest && recipeDigest === wanted.recipeDigest,
    );
    return proof && wanted.recipeDigest !== undefined ? [{ image, by: proof.by }] : [];
  });
  const equal = proven.find(({ image }) => hasLabels(image, wanted.labels));
  if (equal) {
    return { source: 'unchanged', digest: equal.image.digest, place: equal.image.place, by: equal.by };
  }
  const adopted = ordered.find((image) => isFromBefore(image, wanted.adoptableCommit));
  if (adopted) return { source: 'adopted', digest: adopted.digest, place: 'version' };
  const other = wanted.canRelabel ? proven[0] : undefined;
  if (other) {
    return { source: 'relabelled', digest: other.image.digest, place: other.image.place, by: other.by };
  }
  return {
    source: 'built',
    refused: ordered.map((image) => ({ found: image, why: whyNot(image, wanted, proofs) })),
  };
}

function hasLabels(image: Found, labels: Readonly<Record<string, string>>): boolean {
  return (
    image.labels.length > 0 &&
    image.labels.every((own) => Object.entries(labels).every(([key, value]) => own[key] === value))
  );
}

const ours = 'dev.knowngood.';
const revision = 'org.opencontainers.image.revision';

/**
 * An image under the exact version that knowngood did not make and that says to be of the tag's commit. An image
 * with one of our labels is not from before, and then only a proof counts.
 */
function isFromBefore(image: Found, commit: string | undefined): boolean {
  return (
    image.place === 'version' &&
    commit !== undefined &&
    image.labels.length > 0 &&
    image.labels.every(
      (labels) => labels[revision] === commit && !Object.keys(labels).some((key) => key.startsWith(ours)),
    )
  );
}

function whyNot(image: Found, wanted: Wanted, proofs: readonly Proof[]): string {
  const proof = proofs.find(({ digest }) => digest === image.digest);
  if (wanted.recipeDigest === undefined) return 'this recipe has no digest';
  if (proof && proof.recipeDigest !== wanted.recipeDigest) return 'it is of another recipe';
  if (proof) return 'its labels differ, and nothing is pushed here';
  const claims = image.labels.some((labels) => labels[`${ours}recipe`] === wanted.recipeDigest);
  return claims
    ? 'its labels name this recipe, and nothing proves them'
    : 'nothing proves that it is of this recipe';
}
