import type { AuditLine } from '../../ledger/trail.ts';
import type { Digest } from '../../oci/digest.ts';
import { type Reference, withDigest, withTag } from '../../oci/reference.ts';
import { Failure, type Finding, finding } from '../../outcome.ts';
import type { ImageContents } from '../../registry/registry.ts';
import { type Found, isBeforeFirst, type Place, type Proof } from '../../rules/reuse.ts';
import { versionTag } from '../../rules/tag-plan.ts';
import type { StepInput } from '../step.ts';
import type { Tools } from '../tools.ts';
import type { Wanted } from './wanted.ts';

/** What was found of earlier images, and what proves where they are from. */
export interface Look {
  readonly found: readonly Found[];
  readonly contents: ReadonlyMap<Digest, ImageContents>;
  readonly proofs: readonly Proof[];
  /** Commit that an image from before knowngood must name to be adopted. */
  readonly adoptableCommit?: string;
  readonly findings: readonly Finding[];
}

/** Digests that this very process built and pushed: the only "this run" that nobody else can write. */
const builtHere = new WeakMap<Tools, Map<Digest, string>>();

export function rememberBuilt(tools: Tools, digest: Digest, recipeDigest: string | undefined): void {
  if (recipeDigest === undefined) return;
  const known = builtHere.get(tools) ?? new Map<Digest, string>();
  builtHere.set(tools, known.set(digest, recipeDigest));
}

/**
 * Looks where an image of the same recipe may be: exact version, this commit, `edge`, the canonical digest. Tags of
 * pull requests are not looked at. Look-ups that are not answered fail: what is not known is not absent.
 */
export async function lookForImages(input: StepInput, wanted: Wanted): Promise<Look> {
  const { tools, candidate, runContext } = input;
  const trail = await trailOf(input);
  const canonical = trail.at(-1)?.record.subject;
  const isSame = canonical?.kind === 'image' && canonical.image === wanted.name;
  const places: [Place, Reference | undefined][] = [
    ['version', candidate.version === undefined ? undefined : taggedAs(wanted.image, candidate.version)],
    ['commit', withTag(wanted.image, `sha-${candidate.commit.slice(0, 12)}`)],
    ['edge', withTag(wanted.image, 'edge')],
    ['canonical', isSame ? withDigest(wanted.image, canonical.digest) : undefined],
  ];
  const registry = await tools.registry();
  const looked = await Promise.all(
    places.map(async ([place, reference]) => {
      if (reference === undefined) return undefined;
      try {
        const contents = await registry.contents(reference);
        return contents && { place, contents };
      } catch (cause) {
        // What is no image, or contradicts itself, is nothing to reuse. The guard judges it again before a put.
        if (cause instanceof Failure && cause.code === 'manifest-invalid') return undefined;
        throw cause;
      }
    }),
  );
  const images = looked.filter((one) => one !== undefined);
  const contents = new Map(images.map((one) => [one.contents.manifest.digest, one.contents] as const));
  const found = images.map(({ place, contents: { manifest, platforms } }) => ({
    place,
    digest: manifest.digest,
    labels: platforms.map(({ labels }) => labels),
  }));
  const { proofs, findings } = await proofsOf(input, wanted, contents, trail);
  const first = trail[0]?.record.version;
  const adopts =
    runContext === 'release' &&
    candidate.tag !== undefined &&
    candidate.version !== undefined &&
    isBeforeFirst(candidate.version, first);
  return { found, contents, proofs, findings, ...(adopts ? { adoptableCommit: candidate.commit } : {}) };
}

/** The exact version's tag, where the version has one: whether it can be published is another question. */
function taggedAs(image: Reference, version: string): Reference | undefined {
  try {
    return withTag(image, versionTag(version));
  } catch (cause) {
    if (cause instanceof Failure) return undefined;
    throw cause;
  }
}

/** A step that only reads the ledger goes on without one. */
async function trailOf({ tools, candidate, log }: StepInput): Promise<readonly AuditLine[]> {
  const ledger = await tools.ledger();
  if (ledger === undefined) return [];
  try {
    return (await ledger.read(candidate.recipe)).trail();
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code !== 'ledger-missing') throw cause;
    log.detail(`There is no ledger at ${ledger.address} yet, and so no canonical release to compare with.`);
    return [];
  }
}

async function proofsOf(
  input: StepInput,
  wanted: Wanted,
  contents: ReadonlyMap<Digest, ImageContents>,
  trail: readonly AuditLine[],
): Promise<{ proofs: Proof[]; findings: Finding[] }> {
  const proofs: Proof[] = [];
  const findings: Finding[] = [];
  for (const { record } of trail) {
    const { subject, recipeDigest } = record;
    if (subject.kind !== 'image' || subject.image !== wanted.name || recipeDigest === null) continue;
    proofs.push({ digest: subject.digest, recipeDigest, by: 'ledger' });
  }
  for (const [digest, recipeDigest] of builtHere.get(input.tools) ?? []) {
    proofs.push({ digest, recipeDigest, by: 'this-run' });
  }
  const recipeDigest = wanted.recipe.digest;
  if (recipeDigest === undefined) return { proofs, findings };
  for (const [digest, { platforms }] of contents) {
    if (proofs.some((proof) => proof.digest === digest)) continue;
    // Cheap first: what does not even say so is not worth the look at its bundles.
    if (!platforms.every(({ labels }) => labels['dev.knowngood.recipe'] === recipeDigest)) continue;
    if (await hasBundle(input, wanted, digest, recipeDigest)) {
      proofs.push({ digest, recipeDigest, by: 'bundle' });
    } else {
      findings.push(
        finding('recipe-unproven', 'info', `${digest} says to be of this recipe, and nothing proves it.`),
      );
    }
  }
  return { proofs, findings };
}

/**
 * Whether a bundle on this digest verifies and names the recipe. The policy is a file of the checkout, so in a pull
 * request it proves nothing.
 */
async function hasBundle(
  { tools, event, settings }: StepInput,
  wanted: Wanted,
  digest: Digest,
  recipe: string,
): Promise<boolean> {
  if (event.pullRequest !== undefined || settings.candidate !== undefined) return false;
  const policy = await tools.policy();
  if (policy === undefined) return false;
  const { verifyImage } = await tools.verifying();
  const verification = await verifyImage({
    registry: await tools.registry(),
    image: withDigest(wanted.image, digest),
    policy,
    expected: { recipe },
  });
  if (verification.failure !== undefined) throw verification.failure;
  return verification.answer === 'verified';
}
