import type { ReasonCode } from '../reasons.ts';
import { type HeldFacts, isHeld } from './hold.ts';
import type { Release, ReleaseList } from './releases.ts';
import { compareVersions, parseVersion, sameVersion } from './version.ts';

/** The canonical release as the ledger has it. */
export interface Canonical {
  readonly version: string;
  readonly tag: string;
  readonly commit: string;
  readonly hold?: HeldFacts['hold'] | undefined;
}

export interface TriageInput {
  readonly list: ReleaseList;
  /** `version` is absent where no tag is on the commit and the version comes from tags. */
  readonly target: { readonly version?: string; readonly tag?: string; readonly commit: string };
  readonly canonical?: Canonical | undefined;
}

export type TriageReason = Extract<
  ReasonCode,
  | 'never-released'
  | 'target-unparseable'
  | 'not-tagged'
  | 'held'
  | 'no-new-version'
  | 'canonical-tag-moved'
  | 'canonical-ahead'
>;

/**
 * Whether a release run has anything to do; `undefined` means it has. A sweep asks the same for the newest release.
 * Untagged commits never count: only a release that is newer than the canonical runs.
 */
export function triage({ list, target, canonical }: TriageInput): { reason: TriageReason } | undefined {
  const known = [...list.releases, ...list.ambiguous];
  if (known.length === 0) return { reason: 'never-released' };
  if (target.version === undefined) return { reason: 'not-tagged' };
  const version = parseVersion(target.version);
  if (version === undefined) return { reason: 'target-unparseable' };
  const tagged = known.filter((release) => sameVersion(release.version, version));
  const release = pick(tagged, target);
  if (release === undefined) return { reason: 'not-tagged' };
  if (canonical === undefined) return release.commit === target.commit ? undefined : { reason: 'not-tagged' };
  if (isHeld({ version: canonical.version, hold: canonical.hold ?? null }, target.version))
    return { reason: 'held' };
  const last = parseVersion(canonical.version);
  if (last !== undefined) {
    const order = compareVersions(version, last);
    if (order === 0) {
      return { reason: release.commit === canonical.commit ? 'no-new-version' : 'canonical-tag-moved' };
    }
    if (order < 0) return { reason: 'canonical-ahead' };
  }
  // The tag of this version exists, and the candidate is not what it stands for.
  if (release.commit !== target.commit) return { reason: 'not-tagged' };
  return undefined;
}

function pick(tagged: readonly Release[], target: TriageInput['target']): Release | undefined {
  return (
    tagged.find(({ spellings }) => target.tag !== undefined && spellings.includes(target.tag)) ??
    tagged.find(({ commit }) => commit === target.commit) ??
    tagged[0]
  );
}
