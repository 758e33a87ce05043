import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { Failure, Finding } from '../outcome.ts';
import type { Registry } from '../registry/registry.ts';
import type { Policy } from './policy.ts';

/** What to verify, and against what. */
export interface VerifyRequest {
  readonly registry: Registry;
  /** Resolved to a digest once; everything after that is by that digest. */
  readonly image: Reference;
  readonly policy: Policy;
  /** What the caller knows from git, beside the policy. What is left out is not compared. */
  readonly expected?: Expected;
  /**
   * Recomputes the recipe of the published document from a checkout; `undefined`: there is none to compare with.
   * It is a parameter because reading a checkout is not this room's business.
   */
  readonly recompute?: (published: PublishedRecipe) => Promise<Recomputed | undefined>;
}

export interface Expected {
  /** 40 hex: the commit that must have been built. */
  readonly commit?: string;
  /** Full refs of which one must have been built: `['refs/tags/1.0.0']`. */
  readonly refs?: readonly string[];
  /**
   * Further full refs that the pipeline file may have been taken from: the release branch, where a release is
   * built by a dispatched or scheduled run.
   */
  readonly pipelineRefs?: readonly string[];
  readonly version?: string;
  /** `v1:sha256:<64 hex>`: some policy identity must have signed that this digest was made from this recipe. */
  readonly recipe?: string;
  /** The caller weighs test results himself: one that failed contradicts nothing. */
  readonly anyResult?: true;
}

/** Recipe as the image's labels (and the signed statement) have it. */
export interface PublishedRecipe {
  /** `v1:sha256:…`. */
  readonly digest: string;
  /** The recipe document: canonical JSON text. */
  readonly document: string;
  /** Commit that the labels name. */
  readonly revision?: string;
  /** The image's platform where it has one only: a recipe that asked for none was built for it. */
  readonly platform?: string;
}

/** Answer of the recomputation; `differing` names the inputs, down to paths where they are known. */
export type Recomputed =
  | { readonly agrees: true }
  | { readonly agrees: false; readonly differing: readonly string[] };

/** A statement about our digest, signed by a policy identity, that contradicts nothing. */
export interface VerifiedStatement {
  readonly predicateType: string;
  /** The parsed in-toto statement. */
  readonly statement: unknown;
  /** `keyid`, or certificate subject. */
  readonly signer: string;
  readonly builder: string;
  /** Digest of the referrer manifest that holds the bundle. */
  readonly attestation: Digest;
  /** Recipe digest that this statement names, if it names one. */
  readonly recipe?: string;
  /** Of a test result: how it ended, and the whole of it, of which nothing was looked at. */
  readonly test?: { readonly result: 'PASSED' | 'WARNED' | 'FAILED'; readonly details: unknown };
}

/**
 * The answers are kept apart, for an outage must never read as tampering or as absence, nor the other way round:
 *
 * - `verified`    everything the policy and the caller ask for holds
 * - `missing`     the image, or an attestation that the policy asks for, is not there (all look-ups were answered)
 * - `bad`         something is there and contradicts: signature, statement, labels or recipe
 * - `unreachable` a look-up was not answered; `failure` says which
 */
export interface Verification {
  readonly answer: 'verified' | 'missing' | 'bad' | 'unreachable';
  /** What the image's reference pointed at; absent where that could not be told. */
  readonly digest?: Digest;
  readonly statements: readonly VerifiedStatement[];
  /** Bundles by signers that the policy does not know: counted, otherwise ignored. */
  readonly strangers: number;
  /** Level `error`: what made the answer. Level `warning`: what did not (a damaged bundle beside a good one). */
  readonly findings: readonly Finding[];
  readonly failure?: Failure;
}
