import { drift as found, good, note } from './reason.ts';

/** Codes of the drift checks that no other step has. */
export const drift = {
  clean: good('Nothing that was compared contradicts, as far as `fail-on` asks.'),
  'unpublished-release': found('A release has no image.', 'Run the line `release` on its tag.'),
  'unreleased-tag': found('An image tag has no release tag in git.', 'Find out who pushed it.'),
  'untagged-ahead': note(
    'The release branch has commits that no release has.',
    'Tag a release when it is time.',
  ),
  'digest-drift': found(
    'A version tag in the registry has other content than what was promoted under it.',
    'Find out who pushed it; put the promoted digest back, or release a new version.',
  ),
  'new-release': found(
    'A release newer than the canonical was not promoted.',
    'Run the line `release` on its tag.',
  ),
  'promotion-unfinished': found(
    'A promotion began and did not end.',
    'Run `promote` for that version again; it goes on where the other one stopped.',
  ),
  'hold-active': note('Versions are held.', 'Lift the hold when its reason is gone.'),
  'sweep-overdue': found(
    'A new release has waited for its test for longer than a sweep takes to come round.',
    'Look at the last sweep, or run it.',
  ),
  'floating-behind': found(
    'A floating tag is at an older release than it should be.',
    'Run `promote` again; it moves the tags that are behind.',
  ),
  'floating-wrong': found(
    'A floating tag is at content that no release of its line has.',
    'Find out who pushed it, then run `promote` again.',
  ),
  'version-disagrees': found(
    'Places that state the version disagree.',
    'Make them agree before the next release.',
  ),
  'pin-behind': found('A file names an older release.', 'Write the newer one.'),
  'pin-ahead': found(
    'A file names a newer release than the known-good one.',
    'Promote that release, or go back to the known-good one.',
  ),
  'pin-floating': found(
    'A file names an image by a tag that moves.',
    'Name an exact version, or add the digest.',
  ),
  'pin-digest-stale': found(
    'The digest in a file is not what its tag holds now.',
    'Write the digest that the tag has now.',
  ),
  'pin-unknown-tag': found(
    'A file names an image that is not in its registry.',
    'Correct the name or the tag.',
  ),
  'pin-unknown-host': note(
    'A pull request names a registry that the release branch does not; it was not asked.',
    'Name the host in `allowed-hosts`, if it is to be asked.',
  ),
  'pin-unreadable': note(
    'A place that may name an image could not be read.',
    'Nothing to do where a template stands there; else correct it.',
  ),
  'base-image-moved': found(
    'The base image that the release was built on has other content now.',
    'Release again to have it, if the changes matter.',
  ),
  'recipe-differs': found(
    'The published image was made from another recipe than the tree holds.',
    'See which inputs differ; release again under a new version, or find out who changed the image.',
  ),
  'running-behind': found('Something runs an older release.', 'Deploy the known-good release.'),
  'running-differs': found(
    'Something runs other content under the version of the known-good release.',
    'Find out where its image is from, then deploy the known-good digest.',
  ),
  'running-unlabelled': note(
    'Something runs the image, and what it is cannot be told.',
    'Deploy it by a digest from the registry.',
  ),
  'mirror-behind': found('The mirror lacks what upstream has.', 'Run the mirroring again.'),
  'mirror-diverged': found(
    'Mirror and upstream contradict each other.',
    'Find out which of the two was rewritten; mirror again by hand.',
  ),
} as const;
