import type { Digest } from '../oci/digest.ts';
import { type Reference, repositoryName } from '../oci/reference.ts';
import { Failure, type Finding, finding } from '../outcome.ts';
import { type Bundle, parseBundle } from './bundle.ts';
import { type Claims, claimsOf, parseStatement } from './claims.ts';
import { contradictions } from './contradictions.ts';
import { clause } from './fault.ts';
import type { Found } from './find-bundles.ts';
import type { Policy } from './policy.ts';
import { hexOf, type Statement } from './statement.ts';
import type { Expected, VerifiedStatement } from './verification.ts';
import { type BundleVerdict, verifyKeyBundle } from './verify-bundle.ts';

/**
 * - `good`      signed by a policy identity about our digest, contradicts nothing; `notes` decide nothing
 * - `against`   the same, and it contradicts; the findings are errors
 * - `damaged`   not a statement that could count; the finding is a warning, for anybody may have put it there
 * - `stranger`  signed by somebody whom the policy does not know
 * - `unasked`   of a type that the policy does not ask for
 */
export type Judged =
  | {
      readonly kind: 'good';
      readonly statement: VerifiedStatement;
      readonly claims: Claims;
      readonly notes: readonly Finding[];
    }
  | { readonly kind: 'against'; readonly predicateType: string; readonly findings: readonly Finding[] }
  | { readonly kind: 'damaged'; readonly finding: Finding }
  | { readonly kind: 'stranger' }
  | { readonly kind: 'unasked' };

/** Judges one referrer. Only what a policy identity signed about *our* digest can be an error. */
export async function judge(
  found: Found,
  image: Reference,
  digest: Digest,
  policy: Policy,
  expected: Expected,
): Promise<Judged> {
  const where = `Attestation ${found.referrer}`;
  const damaged = (
    code: 'attestation-invalid' | 'attestation-missing' | 'signature-invalid',
    what: string,
  ): Judged => ({ kind: 'damaged', finding: finding(code, 'warning', `${where}: ${what}.`) });
  if (found.kind === 'gone') return damaged('attestation-missing', found.what);
  if (found.kind === 'broken') return damaged('attestation-invalid', found.what);
  try {
    const bundle = parseBundle(found.bytes);
    const verdict = await verdictOn(bundle, policy, expected, found.spki);
    if (verdict.kind === 'stranger') return { kind: 'stranger' };
    if (verdict.kind === 'damaged') return damaged('signature-invalid', verdict.what);
    const statement = parseStatement(verdict.payload);
    const { predicateType } = statement;
    const about = statement.subject.filter((subject) => subject.digest.sha256 === hexOf(digest));
    if (about.length === 0) {
      return damaged('attestation-invalid', 'it is signed, and about other images than this');
    }
    if (!policy.predicates.includes(predicateType)) return { kind: 'unasked' };
    const claims = claimsOf(statement);
    const against = contradictions(claims, verdict.signer, policy, expected);
    if (against.length > 0) {
      const findings = against.map(({ what, ...values }) =>
        finding(
          'provenance-mismatch',
          'error',
          `${where}: the signed ${what} is ${values.found}, not ${values.expected}.`,
          values,
        ),
      );
      return { kind: 'against', predicateType, findings };
    }
    return {
      kind: 'good',
      claims,
      notes: [
        ...oddities(found, bundle, statement).map((what) =>
          finding('attestation-odd', 'warning', `${where}: ${what}.`),
        ),
        ...otherNames(about, image).map((name) =>
          finding('attestation-odd', 'info', `${where}: this digest was signed as ${name}.`, {
            remedy: 'Nothing to do where it was copied: a digest is the same image everywhere.',
          }),
        ),
      ],
      statement: {
        predicateType,
        statement,
        signer: verdict.signer.name,
        builder: claims.builder,
        attestation: found.referrer,
        ...(claims.recipe === undefined ? {} : { recipe: claims.recipe }),
        ...(claims.result === undefined ? {} : { test: { result: claims.result, details: claims.details } }),
      },
    };
  } catch (error) {
    if (error instanceof Failure && error.code === 'attestation-invalid') {
      return damaged('attestation-invalid', clause(error));
    }
    throw error;
  }
}

async function verdictOn(
  bundle: Bundle,
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

/** What stands around a good statement, is not signed, and says otherwise. */
function oddities(
  found: Found & { kind: 'bundle' },
  { signer, witnessed }: Bundle,
  { predicateType }: Statement,
): string[] {
  const { predicateType: said } = found;
  return [
    ...found.oddities,
    ...(said === undefined || said === predicateType
      ? []
      : [`its manifest says that it is ${said}, and it is ${predicateType}`]),
    ...(signer.kind === 'key' && witnessed
      ? ['it is signed with a key, so its log entries and timestamps are not looked at']
      : []),
  ];
}

/** Verifiers match subjects by digest alone; another name is worth a word all the same. */
function otherNames(about: readonly { readonly name?: string }[], image: Reference): string[] {
  const own = repositoryName(image);
  if (about.some(({ name }) => name === own)) return [];
  return [...new Set(about.flatMap(({ name }) => name ?? []))];
}
