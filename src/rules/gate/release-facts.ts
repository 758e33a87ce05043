import { latestStable, listReleases, type TagFact, type TagPattern } from '../releases.ts';
import { compareVersions, parseVersion, sameVersion } from '../version.ts';
import type { ReleaseFacts } from './snapshot.ts';

/**
 * What the remote's tags say about a candidate. A tag off the release branch is a tag, and told apart from none; a
 * version whose spellings are on different commits has none.
 */
export function releaseFacts(
  tags: readonly TagFact[],
  pattern: TagPattern,
  branch: string,
  candidate: { readonly version: string; readonly tag?: string | undefined },
  baseTag?: string,
): ReleaseFacts {
  const list = listReleases(tags, pattern, candidate.tag === undefined ? [] : [candidate.tag]);
  const version = parseVersion(candidate.version);
  const named = tags.filter(({ name, commit }) => {
    const text = pattern.versionIn(name);
    if (text === undefined || commit === undefined) return false;
    const parsed = parseVersion(text);
    return version === undefined || parsed === undefined
      ? text === candidate.version
      : sameVersion(parsed, version);
  });
  const own =
    new Set(named.map(({ commit }) => commit)).size > 1
      ? undefined
      : (named.find(({ name }) => name === candidate.tag) ?? named[0]);
  const latest = latestStable(list);
  const base = list.releases.find(({ spellings }) => baseTag !== undefined && spellings.includes(baseTag));
  return {
    ...(own?.commit === undefined || own.tree === undefined || version === undefined
      ? {}
      : { tag: { name: own.name, commit: own.commit, tree: own.tree } }),
    onBranch: own?.reachable ?? false,
    branch,
    older:
      version === undefined
        ? list.releases.length
        : list.releases.filter((release) => compareVersions(release.version, version) < 0).length,
    ...(latest === undefined
      ? {}
      : { latest: { version: latest.version.raw, tag: latest.tag, commit: latest.commit } }),
    ...(base === undefined
      ? {}
      : { base: { version: base.version.raw, tag: base.tag, commit: base.commit } }),
  };
}
