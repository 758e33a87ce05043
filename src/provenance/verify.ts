import type { Digest } from '../oci/digest.ts';
import { type Reference, withDigest } from '../oci/reference.ts';
import { Failure, type Finding, finding } from '../outcome.ts';
import type { ImageContents } from '../registry/registry.ts';
import { parseBundle } from './bundle.ts';
import { type Claims, claimsOf, parseStatement } from './claims.ts';
import { contradictions } from './contradictions.ts';
import { type Found, findBundles, MOST_BUNDLES } from './find-bundles.ts';
import { publicKeyNamed } from './key.ts';
import { labelFindings, publishedRecipe } from './labels-agree.ts';
import type { Policy } from './policy.ts';
import { hexOf } from './statement.ts';
import type { Expected, Verification, VerifiedStatement, VerifyRequest } from './verification.ts';
import { type BundleVerdict, verifyKeyBundle } from './verify-bundle.ts';

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
  const { found, unopened } = await findBundles(registry, image, digest, isPolicyKey);
  const judged = await Promise.all(found.map((item) => judge(item, digest, request)));

  const good = judged.flatMap((item) => (item.kind === 'good' ? [item] : []));
  const findings = judged.flatMap((item) => (item.kind === 'finding' ? [item.finding] : []));
  const missing = policy.predicates.filter(
    (type) => !good.some((item) => item.statement.predicateType === type),
  );
  // Damage beside a good bundle may be anybody's doing; damage instead of one is the answer.
  const damaged = missing.length > 0 && findings.some((item) => item.code !== 'attestation-missing');
  for (const type of missing) findings.push(missingFinding(type, judged, unopened));
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

type Judged =
  | { readonly kind: 'good'; readonly statement: VerifiedStatement; readonly claims: Claims }
  | { readonly kind: 'stranger' }
  | { readonly kind: 'unasked' }
  | { readonly kind: 'finding'; readonly finding: Finding };

/**
 * One referrer. Only what a policy identity signed about *our* digest can be an error; all else anybody may have
 * put there, so it is a warning that decides nothing unless nothing good is found.
 */
async function judge(
  found: Found,
  digest: Digest,
  { policy, expected = {} }: VerifyRequest,
): Promise<Judged> {
  const where = `Attestation ${found.referrer}`;
  const warning = (
    code: 'attestation-invalid' | 'attestation-missing' | 'signature-invalid',
    what: string,
  ): Judged => ({
    kind: 'finding',
    finding: finding(code, 'warning', `${where}: ${what}.`),
  });
  if (found.kind === 'gone') return warning('attestation-missing', found.what);
  if (found.kind === 'broken') return warning('attestation-invalid', found.what);
  try {
    const bundle = parseBundle(found.bytes);
    const verdict = await verdictOn(bundle, policy, expected, found.spki);
    if (verdict.kind === 'stranger') return { kind: 'stranger' };
    if (verdict.kind === 'damaged') return warning('signature-invalid', verdict.what);
    const statement = parseStatement(verdict.payload);
    if (!statement.subject.some((subject) => subject.digest.sha256 === hexOf(digest))) {
      return warning('attestation-invalid', 'it is signed, and about other images than this');
    }
    if (!policy.predicates.includes(statement.predicateType)) return { kind: 'unasked' };
    const claims = claimsOf(statement);
    const against = contradictions(claims, verdict.signer, policy, expected);
    const [first] = against;
    if (first !== undefined) {
      const names = against.map((one) => one.what).join(', ');
      const message = `${where}: what a trusted key signed contradicts what is asked for: ${names}.`;
      return { kind: 'finding', finding: finding('provenance-mismatch', 'error', message, first) };
    }
    return {
      kind: 'good',
      claims,
      statement: {
        predicateType: statement.predicateType,
        statement,
        signer: verdict.signer.name,
        builder: claims.builder,
        attestation: found.referrer,
        ...(claims.recipe === undefined ? {} : { recipe: claims.recipe }),
      },
    };
  } catch (error) {
    if (error instanceof Failure && error.code === 'attestation-invalid') {
      return warning('attestation-invalid', error.message.replace(/\.$/, ''));
    }
    throw error;
  }
}

async function verdictOn(
  bundle: ReturnType<typeof parseBundle>,
  policy: Policy,
  { refs = [], pipelineRefs = [] }: Expected,
  spki: string | undefined,
): Promise<BundleVerdict> {
  if (bundle.signer.kind === 'key') return verifyKeyBundle(bundle, policy, spki);
  if (policy.identities.length === 0) return { kind: 'stranger' };
  // Only who trusts certificates needs the library that knows them.
  const { verifyIdentityBundle } = await import('./verify-identity.ts');
  return verifyIdentityBundle(bundle, policy, [...refs, ...pipelineRefs]);
}

function missingFinding(type: string, judged: readonly Judged[], unopened: number): Finding {
  const strangers = judged.filter((item) => item.kind === 'stranger').length;
  const more = [
    ...(strangers > 0 ? [`${strangers} by signers that the policy does not know`] : []),
    ...(unopened > 0 ? [`${unopened} not looked at, because there are more than ${MOST_BUNDLES}`] : []),
  ];
  const besides = more.length === 0 ? '' : ` Besides: ${more.join(', ')}.`;
  return finding('attestation-missing', 'error', `No valid ${type} by a signer of the policy.${besides}`);
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
  if (
    expected.recipe !== undefined &&
    signed.length > 0 &&
    !signed.some((claims) => claims.recipe === expected.recipe)
  ) {
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
  if (recipe === undefined)
    return [finding('recipe-local', 'warning', 'The image names no recipe to compare.')];
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
  const name = image.digest ?? image.tag ?? image.repository;
  return {
    answer: 'missing',
    statements: [],
    strangers: 0,
    findings: [finding('source-missing', 'error', `${name} is not in the registry.`)],
  };
}
