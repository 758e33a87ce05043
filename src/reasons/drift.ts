import { drift as found } from './reason.ts';

/** Codes of the drift checks that no other step has. */
export const drift = {
  'unpublished-release': found('A release has no image.', 'Run the line `release` on its tag.'),
  'unreleased-tag': found('An image tag has no release tag in git.', 'Find out who pushed it.'),
  'recipe-differs': found(
    'The published image was made from another recipe than the tree holds.',
    'See which inputs differ; release again under a new version, or find out who changed the image.',
  ),
} as const;
