import type { Rejection, RejectReason, Release, ReleaseList } from './releases.ts';
import { isOlder, isTarget, type Note, type Target } from './usable.ts';
import {
  compareRecipeVersions,
  compareVersions,
  isPrerelease,
  sameCore,
  sameVersion,
  type Version,
} from './version.ts';

export interface ChooseInput {
  readonly list: ReleaseList;
  readonly target: Target & {
    /** `untagged`: the version comes from tags, and the commit has none. `unparseable`: it has one without order. */
    readonly state: 'ordered' | 'untagged' | 'unparseable';
  };
  /** The canonical, if it may be a base. */
  readonly canonical?: Release | undefined;
  readonly broken: (release: Release) => boolean;
}

export type RunReason =
  | 'untagged'
  | 'canonical-unordered'
  | 'samecommit-step-back'
  | 'canonical'
  | 'canonical-older-build'
  | 'samever-step-back'
  | 'samever-spelling'
  | 'version-regressed-build'
  | 'version-regressed'
  | 'previous-release';

export type NaReason =
  | 'target-unparseable'
  | 'no-release'
  | 'first-release'
  | 'no-older-release'
  | 'all-older-known-broken'
  | 'no-usable-older';

export interface Choice {
  readonly decision: 'run' | 'na';
  readonly reason: RunReason | NaReason;
  readonly base?: Release;
  readonly notes: readonly Note[];
  /** Releases that could have been the base, newest first. */
  readonly considered: readonly Release[];
  readonly rejected: readonly Rejection[];
}

/**
 * The upgrade base without a pin: the rows of the decision table in their order, first match wins. Never the
 * candidate's own version, commit or tree, and never a silent pass: every answer has a reason.
 */
export function choose(input: ChooseInput): Choice {
  const { target, canonical } = input;
  const { accepted, rejected } = sortOut(input);
  const previous = accepted[0];
  const notes = alreadyReleased(input);
  const rest = (base: Release | undefined): Pick<Choice, 'considered' | 'rejected'> => ({
    considered: accepted,
    rejected: rejected.filter(({ tag }) => base === undefined || !base.spellings.includes(tag)),
  });
  const run = (reason: RunReason, base: Release, more: readonly Note[] = []): Choice => {
    return { decision: 'run', reason, base, notes: [...notes, ...more], ...rest(base) };
  };
  const na = (reason: NaReason): Choice => ({ decision: 'na', reason, notes, ...rest(undefined) });
  const stepBack = (reason: RunReason): Choice =>
    previous === undefined ? na(nothingOlder(input, rejected)) : run(reason, previous);

  if (target.state !== 'ordered' || target.version === undefined) {
    const ancestral = canonical?.ancestor === true && !isTarget(canonical, target);
    if (target.state === 'unparseable') {
      return ancestral ? run('canonical-unordered', canonical) : na('target-unparseable');
    }
    if (ancestral) return run('untagged', canonical);
    return previous === undefined ? na('no-release') : run('untagged', previous);
  }

  if (canonical === undefined) return stepBack('previous-release');
  const { version } = target;
  const order = compareVersions(canonical.version, version);
  if (order < 0) {
    if (isTarget(canonical, target)) return stepBack('samecommit-step-back');
    const lag = lagNote(accepted, canonical, version);
    const bumped = compareRecipeVersions(canonical.version, version) < 0;
    return run(bumped ? 'canonical' : 'canonical-older-build', canonical, lag);
  }
  if (order === 0)
    return stepBack(canonical.version.raw === version.raw ? 'samever-step-back' : 'samever-spelling');
  const sameRecipe = compareRecipeVersions(canonical.version, version) === 0;
  return stepBack(sameRecipe ? 'version-regressed-build' : 'version-regressed');
}

/** Which releases could be the base, newest first, and why the others could not. */
function sortOut({ list, target, broken }: ChooseInput): { accepted: Release[]; rejected: Rejection[] } {
  const accepted: Release[] = [];
  const rejected: Rejection[] = [...list.rejected];
  for (const release of list.releases) {
    const reason = whyNot(release, target, broken);
    if (reason === undefined) accepted.push(release);
    else rejected.push(...release.spellings.map((tag) => ({ tag, reason })));
  }
  return { accepted, rejected };
}

function whyNot(release: Release, target: Target, broken: ChooseInput['broken']): RejectReason | undefined {
  if (broken(release)) return 'tag-known-broken';
  if (isTarget(release, target)) return 'tag-is-target';
  if (!isOlder(release, target)) return 'tag-not-older';
  const sibling =
    target.version !== undefined && isPrerelease(target.version) && sameCore(release.version, target.version);
  if (isPrerelease(release.version) && !sibling) return 'tag-prerelease';
  return undefined;
}

/** Why there is no older release to upgrade from. An ambiguous or unusable one is there all the same. */
function nothingOlder({ list, target, canonical }: ChooseInput, rejected: readonly Rejection[]): NaReason {
  const known = [...list.releases, ...list.ambiguous];
  if (known.length === 0) return 'no-release';
  const older = known.filter((release) => isOlder(release, target));
  if (older.length === 0) {
    const isRelease = known.some(
      ({ version }) => target.version !== undefined && sameVersion(version, target.version),
    );
    return isRelease && canonical === undefined ? 'first-release' : 'no-older-release';
  }
  const reasons = new Map(rejected.map(({ tag, reason }) => [tag, reason]));
  const allBroken = older.every((release) => reasons.get(release.tag) === 'tag-known-broken');
  return allBroken ? 'all-older-known-broken' : 'no-usable-older';
}

function alreadyReleased({ list, target, canonical }: ChooseInput): Note[] {
  const { version } = target;
  if (version === undefined) return [];
  const own = list.releases.find((release) => sameVersion(release.version, version));
  if (own === undefined || own.commit === target.commit) return [];
  if (canonical !== undefined && sameVersion(canonical.version, version)) return [];
  return [{ code: 'label-already-released', about: own.tag }];
}

function lagNote(accepted: readonly Release[], canonical: Release, version: Version): Note[] {
  const between = accepted.filter(
    (release) =>
      compareVersions(release.version, canonical.version) > 0 &&
      compareVersions(release.version, version) < 0,
  );
  return between.length === 0 ? [] : [{ code: 'canonical-lags', about: String(between.length) }];
}
