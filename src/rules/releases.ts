import { Failure } from '../outcome.ts';
import { compareVersions, parseVersion, type Version, versionKey } from './version.ts';

/** A tag as a repository has it. */
export interface TagFact {
  /** Without `refs/tags/`. */
  readonly name: string;
  /** The commit that it stands for, annotated tags peeled; absent where it stands for something else. */
  readonly commit?: string;
  /** The tree of that commit. */
  readonly tree?: string;
  /** Whether the commit is reachable from the release branch. */
  readonly reachable: boolean;
  /** Whether the commit is an ancestor of the candidate, or the candidate. */
  readonly ancestor: boolean;
}

/** A version with a release tag that is reachable from the release branch. */
export interface Release {
  readonly version: Version;
  /** The tag by which it is called; `spellings` has every tag of this version on this commit. */
  readonly tag: string;
  readonly spellings: readonly string[];
  readonly commit: string;
  readonly tree: string;
  readonly ancestor: boolean;
}

export type RejectReason =
  | 'tag-unparseable'
  | 'tag-unreachable'
  | 'tag-ambiguous'
  | 'tag-known-broken'
  | 'tag-is-target'
  | 'tag-not-older'
  | 'tag-prerelease'
  | 'base-image-missing';

/** A tag that is no base, and why. */
export interface Rejection {
  readonly tag: string;
  readonly reason: RejectReason;
}

export interface ReleaseList {
  /** Newest first; one entry for each version. */
  readonly releases: readonly Release[];
  /** Versions whose spellings are on different commits, newest first, one entry for each commit: no bases. */
  readonly ambiguous: readonly Release[];
  readonly rejected: readonly Rejection[];
}

/** A pattern for release tags: everything but the one `*` must match; the version is what `*` matched. */
export interface TagPattern {
  /** The version that a tag states; `undefined` where the tag does not match. */
  versionIn(tag: string): string | undefined;
}

/**
 * Reads a pattern such as `*`, `v*`, `hedgedoc/v*`. Where the pattern itself holds the beginning of the version
 * (`2.*`, for a maintenance line), that beginning belongs to the version. Fails with `setting-invalid` unless there
 * is exactly one `*`.
 */
export function parsePattern(pattern: string): TagPattern {
  const parts = pattern.split('*');
  if (parts.length !== 2) {
    throw new Failure(
      'setting-invalid',
      `The tag pattern ${JSON.stringify(pattern)} needs exactly one \`*\`.`,
      {
        remedy: 'Write the pattern so that `*` stands for the version, for example `v*`.',
      },
    );
  }
  const [before, after] = parts as [string, string];
  const begun = /(?:^|[^0-9A-Za-z])(v?(?:[0-9]+\.)+)$/.exec(before)?.[1] ?? '';
  return {
    versionIn: (tag) => {
      if (tag.length < before.length + after.length) return undefined;
      if (!tag.startsWith(before) || !tag.endsWith(after)) return undefined;
      return begun + tag.slice(before.length, tag.length - after.length);
    },
  };
}

/**
 * The releases among these tags. Tags that do not match the pattern belong to others and are not mentioned. The
 * order of the tags does not matter. `preferred` is the spelling that a release is called by where it has several.
 */
export function listReleases(
  tags: readonly TagFact[],
  pattern: TagPattern,
  preferred: readonly string[] = [],
): ReleaseList {
  const rejected: Rejection[] = [];
  const versions = new Map<string, (TagFact & { version: Version; commit: string; tree: string })[]>();
  for (const tag of tags) {
    const text = pattern.versionIn(tag.name);
    if (text === undefined) continue;
    const version = parseVersion(text);
    const { commit, tree } = tag;
    if (version === undefined) rejected.push({ tag: tag.name, reason: 'tag-unparseable' });
    else if (!tag.reachable || commit === undefined || tree === undefined) {
      rejected.push({ tag: tag.name, reason: 'tag-unreachable' });
    } else {
      const key = versionKey(version);
      const group = versions.get(key) ?? [];
      group.push({ ...tag, version, commit, tree });
      versions.set(key, group);
    }
  }

  const releases: Release[] = [];
  const ambiguous: Release[] = [];
  for (const group of versions.values()) {
    const commits = [...new Set(group.map(({ commit }) => commit))].sort();
    for (const commit of commits) {
      const spellings = group.filter((tag) => tag.commit === commit);
      spellings.sort((a, b) => rank(a.name, preferred) - rank(b.name, preferred) || byText(a.name, b.name));
      const { name, version, tree, ancestor } = spellings[0]!;
      const release = {
        version,
        tag: name,
        spellings: spellings.map((tag) => tag.name),
        commit,
        tree,
        ancestor,
      };
      (commits.length === 1 ? releases : ambiguous).push(release);
    }
    if (commits.length > 1)
      rejected.push(...group.map(({ name }) => ({ tag: name, reason: 'tag-ambiguous' as const })));
  }
  return {
    releases: releases.sort(newestFirst),
    ambiguous: ambiguous.sort(newestFirst),
    rejected: rejected.sort((a, b) => byText(a.tag, b.tag)),
  };
}

/** The release of this version; `undefined` where there is none, or where it is ambiguous. */
export function releaseOf(list: ReleaseList, version: Version): Release | undefined {
  return list.releases.find((release) => compareVersions(release.version, version) === 0);
}

/** The newest release that is no prerelease. */
export function latestStable(list: ReleaseList): Release | undefined {
  return list.releases.find(({ version }) => version.prerelease.length === 0);
}

function rank(tag: string, preferred: readonly string[]): number {
  const index = preferred.indexOf(tag);
  return index < 0 ? preferred.length : index;
}

function newestFirst(a: Release, b: Release): number {
  return compareVersions(b.version, a.version) || byText(a.tag, b.tag);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
