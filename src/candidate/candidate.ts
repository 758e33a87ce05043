import type { Candidate, Subject } from '../dossier/schema.ts';
import type { Checkout } from '../git/checkout.ts';
import type { CommitFacts } from '../git/commit-object.ts';
import type { Branch, History } from '../git/history.ts';
import { Failure } from '../outcome.ts';
import { parsePattern, type TagFact } from '../rules/releases.ts';
import type { StatedVersion } from '../rules/step-back.ts';
import { parseVersion } from '../rules/version.ts';
import type { RecipeConfig } from '../settings/recipe-file.ts';
import { composeVersions, fileVersion, shown, statedIn, type VersionPlace } from './stated-version.ts';

/** What a candidate is made from; every part was asked for now. */
export interface CandidateSources {
  readonly recipe: string;
  readonly subject: Subject;
  readonly history: Pick<History, 'commit' | 'tags'>;
  /** The release branch. */
  readonly branch: Branch;
  /** The job's checkout; absent where there is none. */
  readonly checkout: Checkout | undefined;
  /** The setting `candidate`, and the pull request that it is of. */
  readonly asked: { readonly commit?: string | undefined; readonly pullRequest?: number | undefined };
  /** What the event says: the pull request's head, the tag. */
  readonly event: { readonly head?: string | undefined; readonly tag?: string | undefined };
  readonly settings: { readonly version?: string | undefined; readonly pattern: string };
  readonly config: Pick<RecipeConfig, 'version'>;
  /** Compose files that may state the version, relative to the recipe's folder. */
  readonly composeFiles: readonly string[];
  /** Folders of ours in the checkout, relative to its top. */
  readonly ours: readonly string[];
  /** Reads a text file of the candidate's tree, relative to the recipe's folder; `undefined` where it is absent. */
  readonly readFile: (path: string) => Promise<string | undefined>;
}

/** The candidate, and what else was learnt while it was made. */
export interface MadeCandidate {
  readonly candidate: Candidate;
  readonly version: StatedVersion;
  readonly tags: readonly TagFact[];
  /** Every place in the tree that states a version. */
  readonly places: readonly VersionPlace[];
}

/** The one maker of a Candidate. */
export async function makeCandidate(sources: CandidateSources): Promise<MadeCandidate> {
  const { history, checkout, asked, event } = sources;
  const tree = await treeUnderTest(sources);
  const commitId = asked.commit ?? event.head ?? checkout?.head.id;
  if (commitId === undefined) throw new Failure('candidate-unknown');
  const commit = await commitFacts(sources, commitId);
  const tags = await history.tags(sources.branch, [commit.id]);
  const tag = releaseTag(tags, commit.id, sources);
  const places = await placesIn(sources);
  const version = stated(sources, tag, places);
  return {
    tags,
    places,
    version,
    candidate: {
      recipe: sources.recipe,
      commit: commit.id,
      checkout: tree.checkout,
      tree: tree.tree,
      dirty: tree.dirty,
      ...(version.state === 'stated'
        ? { version: version.raw, versionFrom: versionFrom(sources, tag, places) }
        : {}),
      ...(tag === undefined ? {} : { tag }),
      committedAt: commit.committedAt,
      subject: sources.subject,
    },
  };
}

/** What lies in the folder that is tested: the job's checkout, or the candidate laid out as data. */
async function treeUnderTest(
  sources: CandidateSources,
): Promise<Pick<Candidate, 'checkout' | 'tree' | 'dirty'>> {
  const { checkout, asked, ours } = sources;
  if (asked.commit !== undefined && asked.commit !== checkout?.head.id) {
    const { id, tree } = await commitFacts(sources, asked.commit);
    return { checkout: id, tree, dirty: [] };
  }
  if (checkout === undefined) {
    throw new Failure('candidate-unknown', 'There is no git checkout here, and `candidate` is not set.');
  }
  return { checkout: checkout.head.id, tree: checkout.head.tree, dirty: await checkout.dirty(ours) };
}

async function commitFacts({ history, checkout, asked }: CandidateSources, id: string): Promise<CommitFacts> {
  if (checkout?.head.id === id) return checkout.head;
  const found = await history.commit(id, { pullRequest: asked.pullRequest });
  if (found !== undefined) return found;
  throw new Failure('candidate-unknown', `The repository has no commit ${id}, or does not give it.`, {
    remedy: 'Push the commit; for a pull request, use its current head and set `pull-request`.',
  });
}

/**
 * The release tag on this commit: the event's own if it is one, else the only version among its tags; of several
 * spellings of it the first in byte order. Several versions on one commit are no release of any of them, unless the
 * event names one.
 */
function releaseTag(
  tags: readonly TagFact[],
  commit: string,
  { event, settings }: CandidateSources,
): string | undefined {
  const pattern = parsePattern(settings.pattern);
  const here = tags
    .filter((tag) => tag.commit === commit)
    .map(({ name }) => ({ name, text: pattern.versionIn(name) }))
    .filter(({ text }) => text !== undefined && parseVersion(text) !== undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const named = here.find(({ name }) => name === event.tag);
  if (named !== undefined) return named.name;
  const versions = new Set(here.map(({ text }) => (text ?? '').replace(/^v/, '')));
  return versions.size === 1 ? here[0]?.name : undefined;
}

/** Every place of the tree that states a version, as knowngood.yml says where to look. */
async function placesIn({ config, composeFiles, readFile }: CandidateSources): Promise<VersionPlace[]> {
  const from = config.version?.from;
  if (typeof from === 'object') {
    const { path, key } = from.file;
    const text = await readFile(path);
    return text === undefined ? [] : fileVersion(text, path, key);
  }
  if (from === 'tag') return [];
  const places: VersionPlace[] = [];
  for (const file of composeFiles) {
    const text = await readFile(file);
    if (text !== undefined) places.push(...composeVersions(text, file));
  }
  return places;
}

/**
 * The version: the setting's word; on a release tag the tag's; else the tree's. A recipe whose version comes from tags
 * has none on an untagged commit.
 */
function stated(
  sources: CandidateSources,
  tag: string | undefined,
  places: readonly VersionPlace[],
): StatedVersion {
  const { settings, config } = sources;
  if (settings.version !== undefined) return { state: 'stated', raw: settings.version };
  if (tag !== undefined)
    return { state: 'stated', raw: parsePattern(settings.pattern).versionIn(tag) ?? tag };
  const from = config.version?.from;
  if (from === 'tag' || (from === undefined && places.length === 0)) return { state: 'untagged' };
  const looked = typeof from === 'object' ? [from.file.path] : sources.composeFiles;
  return statedIn(places, looked);
}

function versionFrom(
  { settings }: CandidateSources,
  tag: string | undefined,
  places: readonly VersionPlace[],
): string {
  if (settings.version !== undefined) return 'setting version';
  if (tag !== undefined) return `tag ${tag}`;
  return places.map(shown)[0] ?? 'the tree';
}
