import { failure } from './reason.ts';

/** Codes of `sweep`. */
export const fleet = {
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
