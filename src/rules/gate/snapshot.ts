import type { RunContext, TierVerdict } from '../../dossier/schema.ts';
import type { Digest } from '../../oci/digest.ts';

/** The answer to a look-up, or who did not answer it. Not answered is never "no". */
export type Known<T> = { readonly known: T } | { readonly unanswered: string };

/** The five conditions cannot be switched off; this is what may be asked for besides, and how long things count. */
export interface GatePolicy {
  readonly signature: boolean;
  readonly provenance: boolean;
  readonly allPlatforms: boolean;
  /** `linux/amd64`, … that the image must have. */
  readonly platforms: readonly string[];
  readonly minAgeMs: number;
  readonly maxEvidenceAgeMs: number;
  /** Codes that a setting names to accept them: only `require-lowered` can be. */
  readonly accepted: readonly string[];
}

/** A base or release as git and a test name it. */
interface Named {
  readonly version: string;
  readonly tag: string;
  readonly commit: string;
}

/** What the release branch's configuration says, at its fetched tip. */
export interface RecipeFacts {
  readonly enrolled: boolean;
  /** Who says so, for people: `knowngood.yml`, `fleet.yml`. */
  readonly enrolledBy: string;
  /** Tiers that must have run. */
  readonly tiers: readonly string[];
  /** By tier, the reviewed reason why it does not apply to this version. */
  readonly expectedNa: Readonly<Record<string, string>>;
}

/** What the remote's tags say now, read in a repository of our own. */
export interface ReleaseFacts {
  /** The candidate's tag as the remote has it, peeled; absent: no such tag, or no release tag. */
  readonly tag?: { readonly name: string; readonly commit: string; readonly tree: string };
  /** Whether the tag's commit is reachable from the release branch. */
  readonly onBranch: boolean;
  readonly branch: string;
  /** How many releases are older than the candidate. */
  readonly older: number;
  /** Highest stable release among this recipe's releases. */
  readonly latest?: Named;
  /** The release that the test says it upgraded from, as the remote has it; absent: no such release. */
  readonly base?: Named;
}

/** What was tested, how, and how it ended. */
export interface Evidence {
  readonly recipe: string;
  readonly version: string;
  readonly commit: string;
  /** HEAD and its tree at the time of the test, where the test says so. */
  readonly checkout?: string;
  readonly tree?: string;
  /** What the candidate ran as: digest by image, or reference by compose service. */
  readonly subject: Readonly<Record<string, string>>;
  readonly testedPlatforms: readonly string[];
  readonly harness: string;
  readonly run: string;
  readonly context: RunContext;
  readonly verdict: 'green' | 'red' | 'inconclusive';
  readonly tiers: readonly {
    readonly name: string;
    readonly verdict: TierVerdict;
    readonly reason?: string;
  }[];
  readonly cold: boolean;
  readonly commands: 'contained' | 'release-branch-host' | 'untrusted-host';
  readonly base?: Named & { readonly reason: string };
  readonly effect?: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** What the registry has under a digest; labels are of each platform, in the same order. */
export interface ImageContent {
  readonly platforms: readonly string[];
  readonly labels: readonly Readonly<Record<string, string>>[];
}

/** An own image that is to be published: what the registry has under the digest, and under the version's tag. */
export interface ImageFacts {
  readonly image: string;
  /** The digest to be tagged; `undefined`: the image was tested on an engine and never pushed. */
  readonly digest: Digest | undefined;
  /** `undefined`: the registry has no such digest. */
  readonly content: Known<ImageContent | undefined>;
  /** The exact version's tag. */
  readonly destination: Known<{
    readonly tag: string;
    readonly current?: Digest;
    readonly sameContent: boolean;
  }>;
}

/** The part of a canonical record that conditions look at. */
export interface RecordFacts {
  readonly version: string;
  readonly commit: string;
  readonly sequence: number;
  readonly kind: 'image' | 'compose';
  /** Digest by image; of a compose subject every image that it names by digest. */
  readonly images: Readonly<Record<string, string>>;
  readonly repository?: string;
  readonly required: {
    readonly signature?: boolean | undefined;
    readonly provenance?: boolean | undefined;
    readonly allPlatforms?: boolean | undefined;
    readonly platforms?: readonly string[] | undefined;
    readonly minAgeSeconds?: number | undefined;
  };
  readonly hold: {
    readonly bad: readonly string[];
    readonly until: 'newer' | 'manual';
    readonly reason: string;
  } | null;
}

/** A finished test of this recipe, or an earlier promotion: where a version was seen on a commit. */
export interface Sighting {
  readonly version: string;
  readonly commit: string;
  /** RFC 3339 UTC. */
  readonly seen: string;
  /** RFC 3339 UTC end of the test; absent for promotions. */
  readonly finishedAt?: string;
  readonly verdict?: 'green' | 'red' | 'inconclusive';
  readonly run?: string;
  /** Verdict by tier. */
  readonly tiers?: Readonly<Record<string, string>>;
  /** What ran, as `Evidence.subject` has it. */
  readonly subject?: Readonly<Record<string, string>>;
}

export interface LedgerFacts {
  readonly record?: RecordFacts;
  readonly sightings: readonly Sighting[];
  /** A promotion of this recipe by another run whose lease still runs. */
  readonly underWay?: { readonly version: string; readonly run: string; readonly expires: string };
}

/** What verifying the image found (provenance/verify); `asked: false` where no policy is set. */
export type VerificationFacts =
  | { readonly asked: false }
  | {
      readonly asked: true;
      /** Predicate types of statements that a policy identity signed and that contradict nothing. */
      readonly signed: readonly string[];
      /** What makes a signature of a policy identity invalid. */
      readonly invalid: readonly string[];
      /** What a policy identity says that contradicts this release. */
      readonly contradictions: readonly string[];
      readonly strangers: number;
    };

/**
 * Everything that a promotion is decided on, of one moment. Taken once; the conditions are pure functions of it.
 * From the dossier it has `evidence` only: all else is derived from git, registry, ledger and event.
 */
export interface Snapshot {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Id of this CI run. */
  readonly run: string;
  readonly context: RunContext;
  readonly policy: GatePolicy;
  readonly recipe: string;
  /** Identity of the repository (rules/repository-identity). */
  readonly repository: string;
  readonly candidate: {
    readonly version: string;
    readonly commit: string;
    readonly checkout: string;
    readonly tree: string;
    readonly dirty: readonly string[];
  };
  readonly config: Known<RecipeFacts>;
  readonly releases: Known<ReleaseFacts>;
  /** Every place in the tree that states the version. */
  readonly stated: Known<readonly { readonly place: string; readonly version: string }[]>;
  readonly ledger: Known<LedgerFacts>;
  readonly evidence?: Evidence;
  /** Who signed the evidence, of the policy's signers, where it is not this run's own. */
  readonly evidenceBy?: string;
  readonly kind: 'image' | 'compose';
  /** Own images; empty for a compose subject without one. */
  readonly images: readonly ImageFacts[];
  readonly verification: Known<VerificationFacts>;
  /** Whether registry and ledger said where the floating tags are and belong. */
  readonly floating: Known<true>;
}
