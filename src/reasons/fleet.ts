import { failure } from './reason.ts';

/** Codes of `sweep`. */
export const fleet = {
  'fleet-empty': failure('The fleet lists no recipe.', 'List at least one recipe in fleet.yml.'),
} as const;
