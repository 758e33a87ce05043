import { failure, good, note, skip } from './reason.ts';

/** Codes of `step-back`: how releases were read, and which one the upgrade test starts from. */
export const upgrade = {
  pin: good('The base is pinned.'),
  canonical: good('The base is the canonical release.'),
  'canonical-older-build': good('The base is the canonical: the same version with a lower build.'),
  'canonical-unordered': good('The candidate has no order; the base is the canonical, an ancestor of it.'),
  untagged: good('The candidate is untagged; the base is the newest known-good release before it.'),
  'samever-step-back': good(
    'The candidate carries the version of the canonical; the base is the release before.',
  ),
  'samever-spelling': good(
    'Candidate and canonical are one version in two spellings; the base is the release before.',
    'Use one spelling for versions.',
  ),
  'samecommit-step-back': good('The canonical is the same commit or tree; the base is the release before.'),
  'version-regressed': good('The candidate is older than the canonical; the base is the release before it.'),
  'version-regressed-build': good(
    'The candidate has a lower build than the canonical; the base is the release before.',
  ),
  'previous-release': good('There is no canonical; the base is the newest older release.'),
  'first-release': good('This is the first release; there is nothing to upgrade from.'),
  'no-release': good('There is no release yet to upgrade from.'),
  'no-older-release': good(
    'There is no older release to upgrade from.',
    'Declare it under `expected-na` for this version if that is right.',
  ),
  'all-older-known-broken': good(
    'All older releases are known to be broken.',
    'Declare it under `expected-na` for this version if that is right.',
  ),
  'no-usable-older': good(
    'Older releases exist, but none can be a base.',
    'The table of rejected tags says why; declare it under `expected-na` if that is right.',
  ),
  'not-requested': good('The upgrade tier is not asked for.'),
  'expected-na': good('The upgrade tier is declared not applicable for this version.'),
  'never-released': skip('No tag is a release.', 'Tag a release, for example `git tag 1.0.0`.'),
  'target-unparseable': skip(
    'The version of the candidate does not parse.',
    'Use MAJOR.MINOR.PATCH[-prerelease][+build].',
  ),
  'not-tagged': skip(
    'The candidate is not exactly a release tag, as the remote has it.',
    'Push the tag, then release it.',
  ),
  'no-new-version': skip('The candidate is the canonical already.'),
  'target-version-missing': failure(
    'The version of the candidate is stated nowhere.',
    'Set `version`, or `version: { from: … }` in knowngood.yml.',
  ),
  'target-version-ambiguous': failure(
    'The version of the candidate is stated more than once, and differently.',
    'Make the places agree, or name one of them in knowngood.yml.',
  ),
  'tags-unavailable': failure(
    'The tags of the repository could not be listed.',
    'Check `repository` and the credentials; an unreadable list is not an empty one.',
  ),
  'branch-missing': failure(
    'A branch that releases or configuration are read from is not there.',
    'Name it in `release-branch`, or in `releases.branch` of knowngood.yml.',
  ),
  'pin-not-a-release': failure(
    'The pinned base is not exactly a release.',
    'Pin a release tag, or remove the pin.',
  ),
  'pin-newer-than-target': failure(
    'The pinned base is newer than the candidate.',
    'Pin an older release, or remove the pin.',
  ),
  'pin-known-broken': failure(
    'The pinned base is known to be broken.',
    'Pin another release, or remove one of the two entries.',
  ),
  'base-too-old': failure(
    'The base is more major versions away than an upgrade may skip.',
    'Release the versions between, pin a nearer base, or raise `max-major-step`.',
  ),
  'base-invariant': failure(
    'The chosen base contradicts a rule that must always hold.',
    'Please report it with the log; a pinned `upgrade-base` may help until it is corrected.',
  ),
  'base-image-missing': note(
    'The image of that release is not in the registry.',
    'Push it again, or declare it known broken.',
  ),
  'pin-stale': note('The pin has expired, or does not cover this version.', 'Delete the pin.'),
  'pin-is-target': note('The pin is the candidate itself.', 'Delete the pin.'),
  'pin-redundant': note('The answer is the same without the pin.', 'Delete the pin.'),
  'canonical-orphaned': note(
    'The tag of the canonical is gone.',
    'Put the tag back, or roll back to another release.',
  ),
  'canonical-tag-moved': note(
    'The tag of the canonical is on another commit now.',
    'Put the tag back where it was; release the new commit under a new version.',
  ),
  'canonical-ambiguous': note(
    'The canonical has two spellings on different commits.',
    'Delete one of the tags.',
  ),
  'canonical-known-broken': note('The canonical is known to be broken.', 'Roll back to a good release.'),
  'canonical-lags': note('Releases after the canonical were not promoted.'),
  'canonical-ahead': skip(
    'The candidate is older than the canonical.',
    'Release a newer version, or use `rollback`.',
  ),
  'label-already-released': note(
    'The version in the tree is released already.',
    'Raise the version before the next release.',
  ),
  'crosses-major': note('The upgrade crosses a major version.', 'Read the notes of the releases between.'),
  'known-broken-unused': note(
    'A known-broken entry matches no release, or has expired.',
    'Delete the entry.',
  ),
  'counts-after-merge': note(
    'The pull request changes configuration that is read from the release branch.',
    'Merge it first; until then the rules of the release branch count.',
  ),
  'tag-unparseable': note('The tag is not a version.'),
  'tag-unreachable': note('The tag is not reachable from the release branch.'),
  'tag-ambiguous': note('Two spellings of this version are on different commits.', 'Delete one of the tags.'),
  'tag-known-broken': note('The release is declared known broken.'),
  'tag-is-target': note('The tag has the commit or the tree of the candidate.'),
  'tag-not-older': note('The release is not older than the candidate.'),
  'tag-prerelease': note('A prerelease is no base for this candidate.'),
} as const;
