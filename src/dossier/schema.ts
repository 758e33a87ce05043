import type { Digest } from '../oci/digest.ts';
import type { Finding, Outcome } from '../outcome.ts';

/** The subject of a recipe: one own image, or the images of a compose application by service. */
export type Subject =
  | {
      readonly kind: 'image';
      readonly image: string;
      readonly digest?: Digest;
      readonly platforms?: Readonly<Record<string, Digest>>;
      readonly tested?: readonly string[];
    }
  | { readonly kind: 'compose'; readonly images: Readonly<Record<string, string>> };

/** Whether a release is being released or swept, or anything else is looked at. */
export type RunContext = 'release' | 'change';

/**
 * What is under test. `commit` is the tag's commit or the pull request's head, `checkout` is HEAD (on GitHub
 * pull requests a merge commit), `tree` is HEAD's tree; all 40 hex. `dirty` lists changed and untracked paths.
 */
export interface Candidate {
  readonly recipe: string;
  readonly commit: string;
  readonly checkout: string;
  readonly tree: string;
  readonly dirty: readonly string[];
  /** As it is written where it was found, without the tag pattern's prefix. */
  readonly version?: string;
  /** Where the version was found, for people: `tag 1.0.0`, `setting version`, `compose.yml:12`. */
  readonly versionFrom?: string;
  /** The release tag on `commit` that this run is about, if there is one. */
  readonly tag?: string;
  /** RFC 3339 UTC time of the commit: SOURCE_DATE_EPOCH of everything that is made. */
  readonly committedAt: string;
  readonly subject: Subject;
}

export interface LabelSection extends Outcome {
  readonly version: string;
  readonly revision: string;
  /** `v1:sha256:…`; absent while a base is unresolved or local. */
  readonly recipeDigest?: string;
  /** The recipe document (canonical JSON text) as far as it is known. */
  readonly recipeDocument: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Final stage's base. */
  readonly from?: { readonly name: string; readonly digest?: Digest };
}

export type ImageSource = 'built' | 'relabelled' | 'unchanged' | 'adopted';

export interface ImageSection extends Outcome {
  /** Repository without tag, as it is pushed to. */
  readonly image: string;
  readonly digest?: Digest;
  readonly imageId?: string;
  readonly stagedTags: readonly string[];
  readonly source: ImageSource;
  readonly pushed: boolean;
  /** Manifest digest by platform. */
  readonly platforms: Readonly<Record<string, Digest>>;
  readonly recipeDigest?: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface AttestationSection extends Outcome {
  readonly predicateType: string;
  readonly statement: string;
  readonly bundle?: string;
  readonly digest?: Digest;
  readonly keyid?: string;
}

export interface UpgradeBase {
  readonly version: string;
  readonly tag: string;
  readonly commit: string;
  /** Image to install, `name@digest` where the digest is known. Absent for compose subjects. */
  readonly ref?: string;
}

export interface UpgradeBaseSection extends Outcome {
  readonly decision: 'run' | 'na' | 'skip';
  readonly base?: UpgradeBase;
  readonly notes: readonly { readonly code: string; readonly text: string }[];
  readonly considered: readonly { readonly tag: string; readonly version: string; readonly commit: string }[];
  readonly rejected: readonly { readonly tag: string; readonly reason: string }[];
  readonly withoutPin?: { readonly decision: string; readonly base?: UpgradeBase; readonly reason: string };
}

export type TierVerdict = 'pass' | 'fail' | 'na' | 'inconclusive';

export interface TierResult {
  readonly name: string;
  readonly verdict: TierVerdict;
  readonly reason?: string;
  readonly detail?: string;
  readonly startedAt: string;
  readonly durationMs: number;
}

export interface TestSection extends Outcome {
  readonly verdict: 'green' | 'red' | 'inconclusive';
  readonly tiers: readonly TierResult[];
  readonly base?: UpgradeBase & { readonly reason: string };
  /** What the candidate ran as: digest of the own image, or images by service. */
  readonly subject: Subject;
  readonly recipe: string;
  readonly version: string;
  readonly commit: string;
  readonly context: RunContext;
  /** Run id of the CI run that tested: evidence counts for that run only. */
  readonly run: string;
  readonly harness: string;
  /** Fresh volumes and no reused data. */
  readonly cold: boolean;
  /** How recipe commands ran. */
  readonly commands: 'contained' | 'release-branch-host' | 'untrusted-host';
  readonly effect: boolean | undefined;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly logs: string;
  readonly findings: readonly Finding[];
}

export interface GateRow {
  readonly code: string;
  readonly verdict: 'pass' | 'n/a' | 'temporary' | 'unknown' | 'permanent';
  readonly found: string;
  readonly remedy: string;
}

export interface PromotionSection extends Outcome {
  readonly promoted: boolean;
  readonly gate: readonly GateRow[];
  readonly canonicalVersion?: string;
  readonly canonicalDigest?: string;
  readonly sequence?: number;
  readonly eligibleAt?: string;
  readonly publishedTags: readonly string[];
}

/** The hand-off from step to step. Not evidence: see security.md 1 of the design. */
export interface Dossier {
  readonly schema: 'knowngood/dossier/v1';
  readonly run: {
    readonly id: string;
    readonly url?: string;
    readonly event: string;
    readonly context: RunContext;
  };
  readonly candidate: Candidate;
  readonly label?: LabelSection;
  readonly image?: ImageSection | Skipped;
  readonly attestations?: readonly AttestationSection[];
  readonly upgradeBase?: UpgradeBaseSection;
  readonly test?: TestSection | Skipped;
  readonly promotion?: PromotionSection;
}

/** A section of a step that was not applicable. */
export interface Skipped extends Outcome {
  readonly outcome: 'skipped';
}

export type SectionName = 'label' | 'image' | 'attestations' | 'upgradeBase' | 'test' | 'promotion';
