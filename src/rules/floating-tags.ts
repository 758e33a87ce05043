import type { Digest } from '../oci/digest.ts';
import { compareVersions, isPrerelease, parseVersion, type Version } from './version.ts';

/** A release that was promoted, or is about to be. */
export interface FloatingCandidate {
  readonly version: string;
  readonly digest: Digest;
}

/** One floating tag and where it belongs. `from` is what the registry has now, absent where it has none. */
export interface FloatingMove {
  readonly tag: string;
  readonly from?: Digest;
  readonly to: Digest;
  readonly version: string;
}

export interface FloatingPlan {
  /** The tags to move to the candidate, shortest line first and `latest` last. */
  readonly moves: readonly FloatingMove[];
  /** Tags that stay, because a promoted version of their line is higher than the candidate. */
  readonly kept: readonly { readonly tag: string; readonly version: string }[];
  /** Tags whose present digest is of no promoted release: told to people, never obeyed. */
  readonly foreign: readonly { readonly tag: string; readonly digest: Digest }[];
}

/** `3`, `3.0` and `latest` for 3.0.1; no floating `0`; nothing for a prerelease or what is no version. */
export function floatingNames(version: string): readonly string[] {
  const parsed = parseVersion(version);
  return parsed && !isPrerelease(parsed) ? namesOf(parsed) : [];
}

/** Whether this tag could be a floating one: a number, or two. */
export function isFloatingName(tag: string): boolean {
  return /^v?\d+(?:\.\d+)?$/.test(tag);
}

/**
 * Where every floating tag belongs, given the releases that count: the highest stable version of each line. Two
 * spellings of one version count as the one given last.
 */
export function floatingTargets(
  releases: readonly FloatingCandidate[],
): ReadonlyMap<string, FloatingCandidate> {
  const highest = new Map<string, { release: FloatingCandidate; version: Version }>();
  for (const release of releases) {
    const version = parseVersion(release.version);
    if (!version || isPrerelease(version)) continue;
    for (const tag of namesOf(version)) {
      const known = highest.get(tag);
      if (!known || compareVersions(version, known.version) >= 0) highest.set(tag, { release, version });
    }
  }
  return new Map([...highest].map(([tag, { release }]) => [tag, release]));
}

/**
 * The floating tags that a promotion moves: those whose highest stable version, over the promoted releases of the
 * image and the candidate, is the candidate. `existing` is what the registry has under each of them.
 */
export function planFloatingTags(
  promoted: readonly FloatingCandidate[],
  candidate: FloatingCandidate,
  existing: ReadonlyMap<string, Digest>,
): FloatingPlan {
  const targets = floatingTargets([...promoted, candidate]);
  const known = new Set([...promoted, candidate].map((release) => release.digest));
  const moves: FloatingMove[] = [];
  const kept: { tag: string; version: string }[] = [];
  const foreign: { tag: string; digest: Digest }[] = [];
  for (const tag of floatingNames(candidate.version)) {
    const target = targets.get(tag);
    const from = existing.get(tag);
    if (from !== undefined && !known.has(from)) foreign.push({ tag, digest: from });
    if (target !== candidate) {
      if (target) kept.push({ tag, version: target.version });
    } else if (from !== candidate.digest) {
      moves.push({
        tag,
        ...(from === undefined ? {} : { from }),
        to: candidate.digest,
        version: candidate.version,
      });
    }
  }
  return { moves, kept, foreign };
}

function namesOf(version: Version): string[] {
  const line = `${version.major}.${version.minor}`;
  return version.major === '0' ? [line, 'latest'] : [line, version.major, 'latest'];
}
