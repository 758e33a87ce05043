import type { Digest } from '../oci/digest.ts';
import { formatReference, type Reference, withDigest } from '../oci/reference.ts';
import { Failure, type Finding, finding } from '../outcome.ts';
import type { ImageContents } from '../registry/registry.ts';
import type { Claims } from './claims.ts';
import { type FoundBundles, findBundles, MOST_BUNDLES } from './find-bundles.ts';
import { type Judged, judge } from './judge.ts';
import { publicKeyNamed } from './key.ts';
import { labelFindings, publishedRecipe } from './labels-agree.ts';
import type { Verification, VerifyRequest } from './verification.ts';

/**
 * Verifies an image: bundles → signature → identity → statement types → subject → (signer, builder) pair →
 * repository, ref and commit → labels → recipe. Never throws for what it finds: see `Verification.answer`.
 *
 * @throws Failure `policy-invalid` only; an outage is the answer `unreachable`.
 */
export async function verifyImage(request: VerifyRequest): Promise<Verification> {
  const progress: { digest?: Digest } = {};
  try {
    return await look(request, progress);
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'policy-invalid') throw error;
    const seen = { ...progress, statements: [], strangers: 0 };
    // What contradicts its own digest, or is no recipe document, was answered, and wrongly: that is no outage.
    if (error.code === 'manifest-invalid' || error.code === 'recipe-invalid') {
      return { ...seen, answer: 'bad', findings: [finding(error.code, 'error', error.message)] };
    }
    return { ...seen, answer: 'unreachable', findings: [], failure: error };
  }
}

async function look(request: VerifyRequest, progress: { digest?: Digest }): Promise<Verification> {
  const { registry, image, policy } = request;
  const digest = image.digest ?? (await registry.head(image))?.digest;
  if (digest === undefined) return absent(image);
  progress.digest = digest;
  const contents = await registry.contents(withDigest(image, digest));
  if (contents === undefined) return absent(image);

  const isPolicyKey = (spki: string): boolean =>
    policy.keys.some(({ keyid }) => publicKeyNamed(keyid, spki) !== undefined);
  const bundles = await findBundles(registry, image, digest, isPolicyKey);
  const judged = await Promise.all(
    bundles.found.map((item) => judge(item, image, digest, policy, request.expected ?? {})),
  );

  const good = judged.flatMap((item) => (item.kind === 'good' ? [item] : []));
  const findings = judged.flatMap(findingsOf);
  const there = judged.flatMap((item) =>
    item.kind === 'good'
      ? [item.statement.predicateType]
      : item.kind === 'against'
        ? [item.predicateType]
        : [],
  );
  const missing = policy.predicates.filter((type) => !there.includes(type));
  // Damage beside a good bundle may be anybody's doing; damage instead of one is the answer.
  const damaged =
    missing.length > 0 &&
    judged.some((item) => item.kind === 'damaged' && item.finding.code !== 'attestation-missing');
  for (const type of missing) findings.push(missingFinding(type, judged, bundles));
  const claims = good.map((item) => item.claims);
  findings.push(...contentFindings(contents, claims, request));
  findings.push(...(await recipeFindings(contents, request)));

  const wrong =
    damaged || findings.some((item) => item.level === 'error' && item.code !== 'attestation-missing');
  return {
    answer: wrong ? 'bad' : findings.some((item) => item.level === 'error') ? 'missing' : 'verified',
    digest,
    statements: good.map((item) => item.statement),
    strangers: judged.filter((item) => item.kind === 'stranger').length,
    findings,
  };
}

function findingsOf(item: Judged): readonly Finding[] {
  switch (item.kind) {
    case 'good':
      return item.notes;
    case 'against':
      return item.findings;
    case 'damaged':
      return [item.finding];
    default:
      return [];
  }
}

function missingFinding(
  type: string,
  judged: readonly Judged[],
  { unopened, others }: Pick<FoundBundles, 'unopened' | 'others'>,
): Finding {
  const strangers = judged.filter((item) => item.kind === 'stranger').length;
  const more = [
    ...(strangers > 0 ? [`${strangers} by signers that the policy does not know`] : []),
    ...(unopened > 0 ? [`${unopened} not looked at, because there are more than ${MOST_BUNDLES}`] : []),
    ...(others > 0 ? [`${others} listed as something else`] : []),
  ];
  const besides = more.length === 0 ? '' : ` Besides: ${more.join(', ')}.`;
  return finding(
    'attestation-missing',
    'error',
    `No valid statement of type ${type} by a signer of the policy.${besides}`,
  );
}

function contentFindings(
  contents: ImageContents,
  signed: readonly Claims[],
  request: VerifyRequest,
): Finding[] {
  const { expected = {} } = request;
  const findings = contents.platforms.flatMap(({ platform, labels }) =>
    labelFindings(platform, labels, signed),
  );
  // What the caller expects must be signed, not only not contradicted: labels alone prove nothing.
  if (expected.recipe !== undefined && !signed.some((claims) => claims.recipe === expected.recipe)) {
    findings.push(
      finding('attestation-missing', 'error', 'No valid statement names the recipe.', {
        expected: expected.recipe,
      }),
    );
  }
  return findings;
}

async function recipeFindings(contents: ImageContents, { recompute }: VerifyRequest): Promise<Finding[]> {
  if (recompute === undefined) return [];
  const published = contents.platforms.map(({ labels }) => publishedRecipe(labels));
  const [recipe] = published;
  if (published.some((other) => other?.digest !== recipe?.digest)) {
    return [finding('labels-disagree', 'error', 'The platforms of the image name different recipes.')];
  }
  if (recipe === undefined) return [finding('recipe-local', 'info', 'The image names no recipe to compare.')];
  const [only, ...others] = contents.platforms;
  const platform = others.length === 0 && only !== undefined ? { platform: only.platform } : {};
  const answer = await recompute({ ...recipe, ...platform });
  return answer === undefined || answer.agrees
    ? []
    : [
        finding(
          'recipe-differs',
          'error',
          `The recipe of the checkout differs in ${answer.differing.join(', ')}.`,
        ),
      ];
}

function absent(image: Reference): Verification {
  return {
    answer: 'missing',
    statements: [],
    strangers: 0,
    findings: [
      finding('source-missing', 'error', `${formatReference(image)} is not in the registry.`, {
        remedy: 'Check the name; the registry answered, and has no such image.',
      }),
    ],
  };
}
