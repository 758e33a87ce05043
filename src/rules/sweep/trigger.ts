import { parsePattern, type TagPattern } from '../releases.ts';
import type { Canonical } from '../triage.ts';
import { compareVersions, parseVersion, sameVersion, type Version } from '../version.ts';

export interface TriggerInput {
  /** Tags as the remote names them: peeled commits, no word about branches. */
  readonly tags: readonly { readonly name: string; readonly commit: string }[];
  /** The tag pattern as far as the fleet knows it. */
  readonly pattern: string;
  /** Whether nobody else has a say about the pattern; else the recipe's own file, unread yet, may name another. */
  readonly patternIsSure?: boolean;
  readonly canonical: Canonical | undefined;
}

/**
 * Whether names of tags alone tell that there is nothing new: the canonical's tag is where it was, and no tag is
 * newer. In every other case somebody has to look at the history, which this saves for the many that did not change.
 */
export function isUnchanged({ tags, pattern, patternIsSure = false, canonical }: TriggerInput): boolean {
  const last = canonical === undefined ? undefined : parseVersion(canonical.version);
  if (canonical === undefined || last === undefined) return false;
  if (canonical.hold !== undefined && canonical.hold !== null) return false;
  if (!tags.some(({ name, commit }) => name === canonical.tag && commit === canonical.commit)) return false;
  const said = parsePattern(pattern);
  const own = versionOf(said, canonical.tag);
  // The pattern reads another version out of the very tag that was promoted: it is not the one that counts.
  if (own !== undefined && !sameVersion(own, last)) return false;
  const seen = own === undefined ? patternOfTag(canonical) : said;
  return tags.every(({ name, commit }) => {
    if (name === canonical.tag) return true;
    const version = (seen && versionOf(seen, name)) ?? versionOf(said, name);
    if (version === undefined) return patternIsSure || !mayBeNewer(name, last);
    const order = compareVersions(version, last);
    // A second spelling elsewhere makes the release ambiguous.
    return order < 0 || (order === 0 && commit === canonical.commit);
  });
}

function versionOf(pattern: TagPattern, tag: string): Version | undefined {
  return parseVersion(pattern.versionIn(tag) ?? '');
}

/** The pattern by which a tag states its version, told from the two. */
function patternOfTag({ tag, version }: Canonical): TagPattern | undefined {
  const at = tag.indexOf(version);
  if (at < 0 || tag.includes('*')) return undefined;
  return parsePattern(`${tag.slice(0, at)}*${tag.slice(at + version.length)}`);
}

/**
 * Whether a tag could state a version that is not older than this one, by whatever pattern: every version has three
 * numbers with dots between, so the largest such three in the name are an upper bound.
 */
function mayBeNewer(tag: string, { major, minor, patch }: Version): boolean {
  const least = [major, minor, patch].map(BigInt) as [bigint, bigint, bigint];
  return [...tag.matchAll(/(?<!\d)(?=(\d+)\.(\d+)\.(\d+))/g)].some((match) => {
    const found = match.slice(1).map(BigInt);
    const first = least.findIndex((number, index) => found[index] !== number);
    return first < 0 || found[first]! > least[first]!;
  });
}
