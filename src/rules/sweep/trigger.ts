import { parsePattern } from '../releases.ts';
import type { Canonical } from '../triage.ts';
import { compareVersions, parseVersion } from '../version.ts';

export interface TriggerInput {
  /** Tags as the remote names them: peeled commits, no word about branches. */
  readonly tags: readonly { readonly name: string; readonly commit: string }[];
  /** The tag pattern as far as the fleet knows it; a recipe's own file may say another. */
  readonly pattern: string;
  readonly canonical: Canonical | undefined;
}

/**
 * Whether names of tags alone tell that there is nothing new: the canonical's tag is where it was, and no tag is
 * newer. In every other case somebody has to look at the history, which this saves for the many that did not change.
 */
export function isUnchanged({ tags, pattern, canonical }: TriggerInput): boolean {
  const last = canonical === undefined ? undefined : parseVersion(canonical.version);
  if (canonical === undefined || last === undefined) return false;
  if (canonical.hold !== undefined && canonical.hold !== null) return false;
  if (!tags.some(({ name, commit }) => name === canonical.tag && commit === canonical.commit)) return false;
  const { versionIn } = parsePattern(pattern);
  return tags.every(({ name, commit }) => {
    const version = parseVersion(versionIn(name) ?? '');
    if (version === undefined) return true;
    const order = compareVersions(version, last);
    // A second spelling elsewhere makes the release ambiguous.
    return order < 0 || (order === 0 && commit === canonical.commit);
  });
}
