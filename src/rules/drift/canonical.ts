import type { Digest } from '../../oci/digest.ts';
import { type Finding, finding } from '../../outcome.ts';
import { compareVersions, parseVersion } from '../version.ts';
import { type Known, open, short } from './looked-up.ts';

/** What a version tag in the registry holds, beside what was promoted under it. */
export interface Published {
  readonly version: string;
  readonly image: string;
  readonly expected: Digest;
  /** `undefined`: the registry has no such tag. `same`: equal content on every platform, whatever hangs on it. */
  readonly found: Known<{ readonly digest: Digest; readonly same: boolean } | undefined>;
}

export interface CanonicalFacts {
  /** The canonical record; absent: nothing was promoted yet. */
  readonly record?: {
    readonly version: string;
    readonly tag: string;
    readonly commit: string;
    readonly hold?: {
      readonly bad: readonly string[];
      readonly until: string;
      readonly reason: string;
    } | null;
  };
  /** The commit that the canonical's tag is on now; `undefined`: git has no such tag. */
  readonly tagCommit: Known<string | undefined>;
  /** The canonical first, then what else was promoted. */
  readonly published: readonly Published[];
  /** The newest stable release of git. */
  readonly newest?: {
    readonly version: string;
    readonly tag: string;
    /** When this check first saw it, milliseconds; absent: now. */
    readonly firstSeen?: number;
    /** Whether a finished test of it is in the ledger. */
    readonly tried: boolean;
  };
  /** A promotion whose lease has run out. */
  readonly unfinished?: { readonly version: string; readonly run: string };
  readonly now: number;
}

/** A weekly sweep has come round by then, and a day to spare. */
const SWEEP_MS = 8 * 24 * 60 * 60_000;

/** The ledger, the git tag and the registry say the same of the release that is known to be good. */
export function checkCanonical(facts: CanonicalFacts): Finding[] {
  const { record, newest, unfinished } = facts;
  const findings: Finding[] = [];
  if (unfinished !== undefined) {
    const message = `The promotion of ${unfinished.version} by ${unfinished.run} did not end.`;
    findings.push(finding('promotion-unfinished', 'warning', message));
  }
  if (record === undefined) {
    if (newest !== undefined) {
      const message = `Nothing was promoted yet; ${newest.tag} is the newest release.`;
      findings.push(finding('new-release', 'info', message));
    }
    return [...findings, ...overdue(facts)];
  }
  findings.push(...gitTag(record, facts.tagCommit), ...facts.published.flatMap(content));
  if (record.hold) {
    const { bad, until, reason } = record.hold;
    findings.push(finding('hold-active', 'info', `Held until ${until}: ${bad.join(', ')} (${reason}).`));
  }
  const mine = parseVersion(record.version);
  const theirs = newest === undefined ? undefined : parseVersion(newest.version);
  const held = record.hold?.bad.includes(newest?.version ?? '') === true;
  if (mine !== undefined && theirs !== undefined && newest !== undefined && !held) {
    const order = compareVersions(theirs, mine);
    const both = { expected: newest.version, found: record.version };
    if (order > 0) {
      const message = `The release ${newest.tag} is newer than the canonical ${record.version}.`;
      findings.push(finding('new-release', 'warning', message, both), ...overdue(facts));
    }
    if (order < 0) {
      const message = `The canonical ${record.version} is newer than ${newest.tag}, the newest release in git.`;
      findings.push(
        finding('canonical-ahead', 'warning', message, {
          remedy: 'Put its tag back, or roll back to a release that is there.',
        }),
      );
    }
  }
  return findings;
}

function gitTag(record: NonNullable<CanonicalFacts['record']>, tag: CanonicalFacts['tagCommit']): Finding[] {
  if ('unanswered' in tag) return [open(`The tag ${record.tag}`, tag)];
  const expected = record.commit;
  if (tag.known === undefined) {
    const message = `git has no release tag ${record.tag}, which the canonical ${record.version} is from.`;
    return [finding('canonical-orphaned', 'warning', message, { expected })];
  }
  if (tag.known === expected) return [];
  const message = `The tag ${record.tag} of the canonical is on another commit than when it was promoted.`;
  return [finding('canonical-tag-moved', 'error', message, { expected, found: tag.known })];
}

function content({ version, image, expected, found }: Published): Finding[] {
  if ('unanswered' in found) return [open(`The tag of ${version} in ${image}`, found)];
  if (found.known === undefined) {
    const message = `${image} has no tag for ${version}, which was promoted.`;
    return [
      finding('unpublished-release', 'warning', message, {
        expected,
        remedy: 'Run `promote` for that version again; it puts the tag back.',
      }),
    ];
  }
  if (found.known.same) return [];
  const message = `${image} has other content under ${version} than was promoted: ${short(found.known.digest)} instead of ${short(expected)}.`;
  return [finding('digest-drift', 'error', message, { expected, found: found.known.digest })];
}

function overdue({ newest, now }: CanonicalFacts): Finding[] {
  if (newest?.firstSeen === undefined || newest.tried || now - newest.firstSeen <= SWEEP_MS) return [];
  const since = new Date(newest.firstSeen).toISOString().slice(0, 10);
  const message = `The release ${newest.tag} is known since ${since}, and was never tested.`;
  return [finding('sweep-overdue', 'warning', message)];
}
