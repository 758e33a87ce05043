import type { Candidate } from '../dossier/schema.ts';
import type { Buildx } from '../engine/buildx.ts';
import type { Credential, Engine } from '../engine/engine.ts';
import type { DroneServer } from '../forge/drone-server.ts';
import type { Forge } from '../forge/forge.ts';
import type { Git } from '../git/git.ts';
import type { Branch, History } from '../git/history.ts';
import type { Mirrored } from '../git/mirror.ts';
import type { Remote } from '../git/remote.ts';
import type { RemoteTag } from '../git/tags.ts';
import type { Programs } from '../harness/site.ts';
import type { Clock } from '../http/clock.ts';
import type { Http } from '../http/http.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Policy } from '../provenance/policy.ts';
import type { Registry } from '../registry/registry.ts';
import type { TagFact } from '../rules/releases.ts';
import type { StatedVersion } from '../rules/step-back.ts';
import type { LineEnd } from '../rules/sweep/result.ts';
import type { TestRules } from '../rules/test-plan.ts';
import type { FleetFile } from '../settings/fleet-file.ts';
import type { FleetLeg } from '../settings/fleet-leg.ts';
import type { RecipeFile } from '../settings/recipe-file.ts';

/** The tools of one recipe of a fleet. */
export type RecipeTools = Tools & { close(): Promise<void> };

/**
 * What steps may ask for. `src/tools.ts` is the only implementation: it constructs each adapter at first use, by
 * import(), once per process. A room that consists of functions is handed over as its module.
 */
export interface Tools {
  /** This program's version, as statements and evidence name it. */
  readonly version: string;
  readonly clock: Clock;
  /** The recipe's name by setting, repository or folder, for steps that read no configuration. */
  readonly recipeName: string;
  /** The candidate, derived now from git, event and settings; once per process. */
  candidate(): Promise<Candidate>;
  /** What is known for choosing the upgrade base: the version as it is stated, every tag, and the tag pattern. */
  upgradeFacts(): Promise<{
    readonly version: StatedVersion;
    readonly tags: readonly TagFact[];
    readonly pattern: string;
  }>;
  /**
   * Absolute folder that stands for the workspace with the candidate's files: the workspace itself, or where the
   * tree of another commit than the checkout's was laid out as data.
   */
  tree(): Promise<string>;
  /** Whether the candidate has other bytes at a path of the workspace than the release branch's tip. */
  changedByCandidate(path: string): Promise<boolean>;
  /** knowngood.yml as the tip of the release branch has it. */
  recipeFile(): Promise<RecipeFile>;
  /** Commits, branches and tags as the remote has them. */
  history(): Promise<History>;
  /**
   * The remote read anew, for decisions at the end of a process that began long ago: tags, release branch and
   * configuration as they are at this moment.
   */
  projectNow(): Promise<ProjectNow>;
  /** HEAD, its tree, and what differs from it in the checkout: at this moment, not when the process began. */
  checkoutNow(): Promise<Pick<Candidate, 'checkout' | 'tree' | 'dirty'>>;
  /** Every place in the candidate's tree that states a version; `place` as people find it, `compose.yml:12`. */
  statedVersions(): Promise<
    readonly {
      readonly place: string;
      readonly version: string;
      readonly at: { readonly file: string; readonly line?: number; readonly column?: number };
    }[]
  >;
  /** The history of another repository, by its address: what a mirror is a mirror of. */
  historyOf(address: string, branch?: string): Promise<History>;
  /** The release branch and its tip. */
  releaseBranch(): Promise<Branch>;
  /** Files below a path of the checkout that git tracks; empty outside a checkout. */
  trackedIn(path: string): Promise<readonly string[]>;
  http(): Promise<Http>;
  /** Reading contexts and Dockerfiles, recipes, packing. */
  recipes(): Promise<typeof import('../recipe/making.ts')>;
  /** The labels of an image and the annotations of its index. */
  labels(): Promise<typeof import('../provenance/labels.ts')>;
  /** `git describe --long` of a commit over the release tags; the abbreviated commit where there is none. */
  describe(commit: string): Promise<string>;
  /** The candidate's compose files and env file, as the release branch's configuration names them. */
  composeFiles(): Promise<{ readonly files: readonly string[]; readonly envFile?: string }>;
  /** Files that name images, with positions. */
  pins(): Promise<typeof import('../pins/pinning.ts')>;
  registry(): Promise<Registry>;
  /** The credential for exactly this registry host, if there is one. Never for pull requests of forks. */
  registryCredential(host: string): Promise<Credential | undefined>;
  engine(): Promise<Engine>;
  /** `docker buildx` over the same engine. */
  buildx(): Promise<Buildx>;
  /**
   * Paths in the release branch that decide how a candidate is tested (compose files, env file, scripts of host
   * commands): a stranger's pull request must not change them.
   */
  harnessPaths(): Promise<readonly string[]>;
  /** Running the subject in containers. */
  harness(): Promise<typeof import('../harness/harness.ts')>;
  /** What the programs that a test starts may see of this process, and which credentials are beside them. */
  readonly children: Omit<Programs, 'home'>;
  /** What the release branch says about testing this recipe, at its fetched tip. */
  testRules(): Promise<TestRules>;
  /**
   * Lays a commit's tree out as plain files, without `.git`, in a folder that does not exist yet. Answers the folder
   * in it that stands for the workspace.
   */
  layOut(commit: string, folder: string): Promise<string>;
  /** The forge of the event's repository. */
  forge(): Promise<Forge>;
  /** The Drone server that the settings name. */
  droneServer(): Promise<DroneServer>;
  /** The fleet that the settings name, from the workspace. */
  fleet(): Promise<FleetFile>;
  /** The configuration of a recipe that lies beside fleet.yml; `undefined` where its repository has it. */
  configBeside(of: Pick<FleetLeg, 'entry' | 'defaults' | 'folder'>): Promise<RecipeFile | undefined>;
  /** The tags of any remote, asked for now: by one request over a shared connection where the server can. */
  remoteTags(address: string): Promise<ReadonlyMap<string, RemoteTag>>;
  /** Makes the default branch and the tags of a mirror equal to its upstream's; nothing else is touched. */
  mirror(upstream: string, own: string): Promise<Mirrored>;
  /** The tools as a run about one recipe of the fleet has them; to be closed. */
  ofRecipe(recipe: string): Promise<RecipeTools>;
  /** Recipes whose tests another process runs on this engine right now. */
  inFlight(): Promise<readonly string[]>;
  /** Who this process is, and whether another one still lives. */
  owners(): Promise<typeof import('../harness/owner.ts')>;
  /** A text file of the workspace, at most 256 KiB; `undefined` where there is none. Fails with `path-outside`. */
  readFile(path: string): Promise<string | undefined>;
  /**
   * Tags of many repositories in few requests, by address, where a forge answers that; a repository that is missing
   * has to be asked for itself.
   */
  tagsOfMany(addresses: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, RemoteTag>>>;
  /** Runs the line `release` over a commit of one recipe of the fleet. */
  release(recipe: string, commit: string): Promise<LineEnd>;
  git(): Promise<Git>;
  /** Where tags, release branch and pull-request refs are read. */
  repository(): Promise<Remote>;
  /** The ledger; `undefined` in a terminal that names none. */
  ledger(): Promise<Ledger | undefined>;
  /** What statements say; loads nothing that signs. */
  statements(): Promise<typeof import('../provenance/statements.ts')>;
  signing(): Promise<typeof import('../provenance/signing.ts')>;
  /** What `policy` says: the policy itself, or a file of the checkout; `undefined` where it is not set. */
  policy(): Promise<Policy | undefined>;
  /** As `policy`, a file being read from the tip of the release branch: what a checkout says may be anybody's. */
  reviewedPolicy(): Promise<Policy | undefined>;
  verifying(): Promise<typeof import('../provenance/verifying.ts')>;
  /** The gate's look-ups, the write protocol, rollback and hold. */
  promotion(): Promise<typeof import('../promotion/promotion.ts')>;
}

/** What the remote has at one moment. */
export interface ProjectNow {
  readonly history: History;
  readonly branch: Branch;
  /** knowngood.yml at the branch's tip. */
  readonly file: RecipeFile;
  /** Of release tags. */
  readonly pattern: string;
  /** What fleet.yml says of this recipe, where the run is one of a fleet. */
  readonly fleet?: { readonly enrolled: boolean };
  /** A file of the workspace as the branch's tip has it, at most 256 KiB; `undefined` where there is none. */
  readFile(path: string): Promise<Uint8Array | undefined>;
}
