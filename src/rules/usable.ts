import { Failure } from '../outcome.ts';
import type { Release, ReleaseList } from './releases.ts';
import type { Canonical } from './triage.ts';
import { compareVersions, parseVersion, sameVersion, type Version, versionKey } from './version.ts';
import { parseRange } from './version-range.ts';

/** A pinned upgrade base, from a setting or from knowngood.yml. */
export interface Pin {
  readonly version: string;
  /** Range of candidate versions that it is for. */
  readonly for?: string | undefined;
  /** Last day (UTC) that it holds, `2027-01-01`. */
  readonly until?: string | undefined;
}

/** A release that must not be a base. */
export interface KnownBroken {
  readonly version: string;
  readonly reason?: string | undefined;
  /** Last day (UTC) that it holds. */
  readonly until?: string | undefined;
}

/** The candidate as the rules see it. `version` is absent where it has none, or none that parses. */
export interface Target {
  readonly version?: Version | undefined;
  readonly commit: string;
  readonly tree: string;
}

/** Something worth saying beside the answer; `about` is what it is about, where the code alone does not say it. */
export interface Note {
  readonly code:
    | 'pin-stale'
    | 'pin-is-target'
    | 'pin-redundant'
    | 'canonical-orphaned'
    | 'canonical-tag-moved'
    | 'canonical-ambiguous'
    | 'canonical-known-broken'
    | 'canonical-lags'
    | 'label-already-released'
    | 'crosses-major'
    | 'known-broken-unused';
  readonly about?: string;
}

/** The known-broken entries that hold today, as a test. */
export function brokenTest(entries: readonly KnownBroken[], now: Date): (release: Release) => boolean {
  const live = entries.filter((entry) => !isOver(entry.until, now)).map((entry) => entry.version);
  const texts = new Set(live);
  const keys = new Set(live.map(parseVersion).map((version) => version && versionKey(version)));
  return ({ version, spellings }) => keys.has(versionKey(version)) || spellings.some((tag) => texts.has(tag));
}

/** Whether this text names the release: one of its tags, or its version in any spelling. */
export function isAbout(text: string, release: Pick<Release, 'version' | 'spellings'>): boolean {
  if (release.spellings.includes(text)) return true;
  const version = parseVersion(text);
  return version !== undefined && sameVersion(version, release.version);
}

/** Whether a last day (UTC, `YYYY-MM-DD`) is over. */
export function isOver(until: string | undefined, now: Date): boolean {
  return until !== undefined && now.toISOString().slice(0, 10) > until;
}

export function isTarget(release: { commit: string; tree: string }, target: Target): boolean {
  return release.commit === target.commit || release.tree === target.tree;
}

/** Whether the release is older than the candidate; where the candidate has no order: an ancestor of it. */
export function isOlder(release: Release, target: Target): boolean {
  return target.version === undefined
    ? release.ancestor
    : compareVersions(release.version, target.version) < 0;
}

/**
 * The pin, if it may be used. `undefined` with a note where it is to be ignored; a Failure where it is wrong, so that
 * nobody believes to be testing from a base that is not tested from.
 */
export function usablePin(
  pin: Pin,
  list: ReleaseList,
  target: Target,
  broken: (release: Release) => boolean,
  now: Date,
): { release?: Release; note?: Note } {
  const release = list.releases.find((candidate) => isAbout(pin.version, candidate));
  if (release === undefined) {
    throw new Failure(
      'pin-not-a-release',
      `The pinned base ${JSON.stringify(pin.version)} is not exactly a release: ${whyNot(pin.version, list)}.`,
    );
  }
  if (isOver(pin.until, now)) return { note: { code: 'pin-stale', about: `expired after ${pin.until}` } };
  if (pin.for !== undefined) {
    const covers = parseRange(pin.for);
    if (target.version === undefined || covers?.(target.version) !== true) {
      return { note: { code: 'pin-stale', about: `it is for ${pin.for}` } };
    }
  }
  const newer =
    target.version === undefined ? !release.ancestor : compareVersions(release.version, target.version) > 0;
  if (newer) {
    throw new Failure(
      'pin-newer-than-target',
      target.version === undefined
        ? `The pinned base ${release.tag} is no ancestor of the candidate.`
        : `The pinned base ${release.tag} is newer than the candidate ${target.version.raw}.`,
    );
  }
  if (broken(release)) {
    throw new Failure('pin-known-broken', `The pinned base ${release.tag} is declared known broken.`);
  }
  if (isTarget(release, target) || !isOlder(release, target)) return { note: { code: 'pin-is-target' } };
  return { release };
}

function whyNot(text: string, list: ReleaseList): string {
  const rejected = list.rejected.find(({ tag }) => tag.endsWith(text) || `v${tag}` === text);
  if (rejected?.reason === 'tag-unreachable') return 'the tag is not reachable from the release branch';
  if (rejected?.reason === 'tag-ambiguous') return 'two spellings of it are on different commits';
  if (rejected?.reason === 'tag-unparseable') return 'the tag is not a version';
  return 'there is no such tag';
}

/** The canonical as a release, if it may be a base; else why it counts as absent. */
export function usableCanonical(
  canonical: Canonical,
  list: ReleaseList,
  broken: (release: Release) => boolean,
): { release?: Release; note?: Note } {
  const version = parseVersion(canonical.version);
  const same = (release: Release): boolean =>
    release.spellings.includes(canonical.tag) ||
    (version !== undefined && sameVersion(release.version, version));
  const tagged = [...list.releases, ...list.ambiguous].find(({ spellings }) =>
    spellings.includes(canonical.tag),
  );
  if (tagged !== undefined && tagged.commit !== canonical.commit) {
    return { note: { code: 'canonical-tag-moved', about: canonical.tag } };
  }
  if (list.ambiguous.some(same)) return { note: { code: 'canonical-ambiguous', about: canonical.tag } };
  const release = list.releases.find(same);
  if (release === undefined) return { note: { code: 'canonical-orphaned', about: canonical.tag } };
  if (release.commit !== canonical.commit)
    return { note: { code: 'canonical-tag-moved', about: canonical.tag } };
  if (broken(release)) return { note: { code: 'canonical-known-broken', about: canonical.tag } };
  return { release };
}
