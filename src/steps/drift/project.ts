import type { Branch, History } from '../../git/history.ts';
import type { Ledger, RecipeView } from '../../ledger/ledger.ts';
import type { CanonicalRecord } from '../../ledger/record.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseReference, repositoryName, withDigest } from '../../oci/reference.ts';
import { Failure, type Finding, finding } from '../../outcome.ts';
import type { ReasonCode } from '../../reasons.ts';
import {
  latestStable,
  listReleases,
  parsePattern,
  type ReleaseList,
  type TagFact,
} from '../../rules/releases.ts';
import { versionTag } from '../../rules/tag-plan.ts';
import type { RecipeFile } from '../../settings/recipe-file.ts';
import type { FreeStepInput } from '../step.ts';
import type { Look } from './look.ts';

/** What a check is given: a recipe, as its repository and its ledger have it now. */
export interface Project {
  readonly recipe: string;
  /** `host/repository` of the own image; absent where the recipe has none. */
  readonly image?: string;
  readonly history: History;
  readonly branch: Branch;
  readonly file: RecipeFile;
  readonly tags: readonly TagFact[];
  readonly releases: ReleaseList;
  readonly ledger?: Ledger;
  readonly view?: RecipeView;
  readonly record?: CanonicalRecord;
  /** What was found while this was read: a damaged record. */
  readonly findings: readonly Finding[];
  /** Where the repository is a mirror: of what. */
  readonly mirrorOf?: string;
}

/** Everything a check may use. */
export interface Checking extends Pick<FreeStepInput, 'settings' | 'tools' | 'log' | 'now' | 'signal'> {
  readonly look: Look;
  readonly project: Project;
  /** A pull request, or another candidate that nobody reviewed. */
  readonly untrusted: boolean;
}

/** The release that is compared: the canonical, else the newest stable one. */
export interface Subject {
  readonly version: string;
  readonly tag: string;
  readonly commit: string;
  /** For people: `the known-good release`, `the latest release`. */
  readonly what: string;
  /** Of the own image, where the ledger has it. */
  readonly digest?: Digest;
}

/** Reads a recipe's repository, configuration and ledger. Fails as git does: without it there is nothing to compare. */
export async function readProject(
  { settings, tools, log }: Pick<FreeStepInput, 'settings' | 'tools' | 'log'>,
  mirrorOf?: string,
): Promise<Project> {
  const [history, branch, file] = await Promise.all([
    tools.history(),
    tools.releaseBranch(),
    tools.recipeFile(),
  ]);
  const pattern = settings.given.has('tag-pattern')
    ? settings.tagPattern
    : (file.value.releases.tags ?? settings.tagPattern);
  const tags = await history.tags(branch, []);
  const recipe = settings.recipe ?? file.value.recipe ?? tools.recipeName;
  const image = settings.image ?? file.value.image ?? (await usualImage(tools));
  const findings: Finding[] = [];
  const read = await readLedger(tools, recipe, (text) => log.info(text), findings);
  return {
    recipe,
    history,
    branch,
    file,
    tags,
    releases: listReleases(tags, parsePattern(pattern)),
    findings,
    ...read,
    ...(image === undefined ? {} : { image: repositoryName(parseReference(image)) }),
    ...(mirrorOf === undefined ? {} : { mirrorOf }),
  };
}

/** The image that the candidate would have; a repository that only names images of others has none. */
async function usualImage(tools: FreeStepInput['tools']): Promise<string | undefined> {
  try {
    const { subject } = await tools.candidate();
    return subject.kind === 'image' ? subject.image : undefined;
  } catch (error) {
    if (error instanceof Failure && error.code !== 'cancelled') return undefined;
    throw error;
  }
}

const damaged: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'record-corrupt',
  'record-untrusted',
  'record-too-new',
]);

async function readLedger(
  tools: FreeStepInput['tools'],
  recipe: string,
  tell: (text: string) => void,
  findings: Finding[],
): Promise<Pick<Project, 'ledger' | 'view' | 'record'>> {
  const ledger = await tools.ledger();
  if (ledger === undefined || !(await ledger.exists())) {
    const where = ledger === undefined ? 'No ledger is named' : `There is no ledger at ${ledger.address}`;
    tell(`${where}: nothing is known of a canonical, releases are taken from git alone.`);
    return {};
  }
  const view = await ledger.read(recipe);
  try {
    const record = view.record();
    return { ledger, view, ...(record === undefined ? {} : { record }) };
  } catch (error) {
    if (!(error instanceof Failure) || !damaged.has(error.code)) throw error;
    findings.push(finding(error.code, 'error', error.message, { remedy: error.remedy }));
    // What is damaged is told, and nothing else that it says is believed.
    return {};
  }
}

/** The canonical, or where nothing was promoted the newest stable release. */
export function subjectOf({ record, releases, image }: Project): Subject | undefined {
  if (record !== undefined) {
    const { subject } = record;
    const own = subject.kind === 'image' && subject.image === image ? { digest: subject.digest } : {};
    return {
      version: record.version,
      tag: record.tag,
      commit: record.commit,
      what: 'the known-good release',
      ...own,
    };
  }
  const newest = latestStable(releases);
  if (newest === undefined) return undefined;
  return {
    version: newest.version.raw,
    tag: newest.tag,
    commit: newest.commit,
    what: 'the latest release',
  };
}

/** The tags that an image of this version may have: as build-push writes it, then as it is spelt in git. */
export function imageTags(version: string): readonly string[] {
  try {
    const tag = versionTag(version);
    return version.startsWith('v') ? [tag, `v${tag}`] : [tag];
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}

/** The digest of a release's image: the ledger's word, else what its version tag holds. */
export async function digestOf(
  { tools, project }: Pick<Checking, 'tools' | 'project'>,
  subject: Subject,
): Promise<Digest | undefined> {
  if (subject.digest !== undefined || project.image === undefined) return subject.digest;
  const registry = await tools.registry();
  for (const tag of imageTags(subject.version)) {
    const found = await registry.resolve({ ...parseReference(project.image), tag });
    if (found !== undefined) return found.digest;
  }
  return undefined;
}

/** The own image at this digest. */
export function ownImage(image: string, digest: Digest) {
  return withDigest(parseReference(image), digest);
}
