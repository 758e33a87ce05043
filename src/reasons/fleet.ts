import { failure, good, note, skip } from './reason.ts';

/** Codes of `sweep`. */
export const fleet = {
  swept: good('Every recipe of the fleet has a result, and none is an error.'),
  'sweep-errors': failure(
    'At least one recipe of the fleet ended in an error.',
    'Look at the findings; the other recipes are not touched by it.',
  ),
  'sweep-incomplete': failure(
    'The results are not exactly one for each recipe of the fleet.',
    'Report this; do not believe the results of this sweep.',
  ),
  backoff: skip(
    'This version was not promoted lately, and rests before it is tried again.',
    'Release a new version, or wait; the result says until when.',
  ),
  'time-budget': skip(
    'The time budget of the sweep was used up.',
    'The next sweep goes on; or raise `time-budget`.',
  ),
  'disk-budget': skip('There is too little free disk.', 'Make room, or lower `disk-budget`.'),
  'in-flight': skip(
    'Another run is in flight on this engine.',
    'The next sweep goes on; or give the sweep an engine, or a time, of its own.',
  ),
  'sweep-running': failure(
    'Another sweep is at work in this workspace.',
    'Wait for it, or run this one in a workspace of its own.',
  ),
  'leg-missing': failure(
    'The recipe has a new release, and its leg left no result.',
    'Look at its job; the next sweep tries it again.',
  ),
  'leg-untrusted': failure(
    'What a leg says is not about its recipe, or is not what the ledger says.',
    'Look at its job; what counts is the ledger.',
  ),
  'leg-failed': failure(
    'The build of this recipe ended without a finished test.',
    'Look at the build; the next sweep tries it again.',
  ),
  'mirror-tag-moved': note(
    'Upstream moved or removed a tag, and the mirror followed.',
    'Ask upstream why; a promoted release whose tag moved is refused by the gate.',
  ),
  'mirror-stale': failure(
    'The mirror could not be brought up to date with its upstream.',
    'Check the address and the token of both sides.',
  ),
  'fleet-empty': failure('The fleet lists no recipe.', 'List at least one recipe in fleet.yml.'),
  'fleet-unreadable': failure(
    'The fleet file cannot be read.',
    'Set `fleet` to its path in the workspace, and check out the repository that has it.',
  ),
  'fleet-recipe-unknown': failure(
    'The fleet lists no recipe of this name.',
    'Add it to fleet.yml, or correct the setting `recipe`.',
  ),
} as const;
