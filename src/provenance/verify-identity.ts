import { X509Certificate } from 'node:crypto';
import { type BundleWithDsseEnvelope, bundleFromJSON, isBundleWithDsseEnvelope } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, VerificationError, Verifier } from '@sigstore/verify';
import { Failure } from '../outcome.ts';
import type { Bundle } from './bundle.ts';
import type { Policy } from './policy.ts';
import { PAYLOAD_TYPE } from './statement.ts';
import type { BundleVerdict } from './verify-bundle.ts';

/** Fulcio's certificate extensions (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md). */
const SOURCE_DIGEST = '1.3.6.1.4.1.57264.1.13';

/**
 * Verifies the signature of a keyless bundle: certificate chain, transparency log and timestamps against the
 * policy's trusted root, by sigstore's own library; then subject and issuer by exact comparison here, because the
 * library takes a subject for an unanchored pattern: `acme/app` would be met by `evil/acme/app-2` as well.
 *
 * @param refs  full refs that may stand behind an identity that is written without one
 */
export function verifyIdentityBundle(
  bundle: Bundle,
  policy: Pick<Policy, 'identities' | 'trustedRoot'>,
  refs: readonly string[],
): BundleVerdict {
  if (policy.trustedRoot === undefined) return { kind: 'stranger' };
  const verifier = verifierFor(policy.trustedRoot);
  let parsed: BundleWithDsseEnvelope;
  try {
    const any = bundleFromJSON(bundle.json);
    if (!isBundleWithDsseEnvelope(any)) return { kind: 'stranger' };
    parsed = any;
  } catch {
    return damagedIf(claimsIdentity(bundle, policy, refs), 'its certificate or log entries cannot be read');
  }
  let signer: ReturnType<Verifier['verify']>;
  try {
    signer = verifier.verify(toSignedEntity(parsed));
  } catch (error) {
    // Which of its checks failed is for people; anything else than a failed check means the same here.
    const what =
      error instanceof VerificationError ? `${error.code}: ${error.message}` : 'it cannot be verified';
    return damagedIf(claimsIdentity(bundle, policy, refs), what);
  }
  const { subjectAlternativeName: san, extensions, oids } = signer.identity ?? {};
  const known = policy.identities.filter(
    (identity) =>
      san !== undefined && identity.issuer === extensions?.issuer && names(identity.san, refs).includes(san),
  );
  if (known.length === 0 || san === undefined) return { kind: 'stranger' };
  const contradiction = unverified(parsed, bundle.keyid);
  if (contradiction !== undefined) return { kind: 'damaged', what: contradiction };
  if (bundle.payloadType !== PAYLOAD_TYPE) {
    return { kind: 'damaged', what: 'it is signed as something else than a statement' };
  }
  const sourceCommit = oids
    ?.find(({ oid }) => oid?.id.join('.') === SOURCE_DIGEST)
    ?.value.toString('latin1')
    .slice(-40);
  return {
    kind: 'signed',
    signer: {
      name: san,
      builders: known.map(({ builder }) => builder),
      ...(sourceCommit === undefined ? {} : { sourceCommit }),
    },
    payload: bundle.payload,
  };
}

/** What the library does not look at, because it says again what is said elsewhere. */
function unverified({ verificationMaterial }: BundleWithDsseEnvelope, keyid: string): string | undefined {
  if (keyid !== '') return 'a key id is beside a signature by certificate';
  for (const { inclusionProof } of verificationMaterial.tlogEntries) {
    // https://github.com/C2SP/C2SP/blob/main/tlog-checkpoint.md: origin, size, root hash, one a line.
    const [, size, root] = inclusionProof?.checkpoint?.envelope.split('\n') ?? [];
    if (inclusionProof?.treeSize !== size || inclusionProof?.rootHash.toString('base64') !== root) {
      return 'its log proof contradicts the checkpoint in it';
    }
  }
  return undefined;
}

function verifierFor(root: object): Verifier {
  try {
    const trusted = TrustedRoot.fromJSON(root);
    return new Verifier(toTrustMaterial(trusted), {
      // GitHub's instance for private repositories has timestamps in place of logs; what a root has is asked for.
      tlogThreshold: Math.min(1, trusted.tlogs.length),
      ctlogThreshold: Math.min(1, trusted.ctlogs.length),
      timestampThreshold: 1,
    });
  } catch (cause) {
    throw new Failure('policy-invalid', 'The `trusted-root` of the policy cannot be read.', { cause });
  }
}

function names(san: string, refs: readonly string[]): string[] {
  return [san, ...refs.map((ref) => `${san}@${ref}`)];
}

/** What the certificate says of itself, unverified: enough to tell a damaged bundle of ours from a stranger's. */
function claimsIdentity(
  bundle: Bundle,
  { identities }: Pick<Policy, 'identities'>,
  refs: readonly string[],
): boolean {
  const material = (bundle.json as { verificationMaterial: { certificate?: { rawBytes: string } } })
    .verificationMaterial;
  try {
    const { subjectAltName = '' } = new X509Certificate(
      Buffer.from(material.certificate?.rawBytes ?? '', 'base64'),
    );
    const claimed = subjectAltName.split(', ').map((name) => name.replace(/^(URI|email):/, ''));
    return identities.some(({ san }) => names(san, refs).some((name) => claimed.includes(name)));
  } catch {
    return false;
  }
}

function damagedIf(claimed: boolean, what: string): BundleVerdict {
  return claimed ? { kind: 'damaged', what } : { kind: 'stranger' };
}
