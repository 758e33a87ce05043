import * as v from 'valibot';
import { readYaml, type YamlFile } from './yaml-file.ts';

const text = v.pipe(v.string(), v.trim(), v.nonEmpty('must not be empty'));

const recipeName = v.pipe(
  text,
  v.regex(
    /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/,
    'must be lower-case letters, digits, `.`, `_` and `-`, at most 64',
  ),
);

const fleetEntry = v.strictObject({
  recipe: recipeName,
  /** Where its tags and its release branch are read: a URL. */
  repository: text,
  /** Own image, where its own configuration does not name it. */
  image: v.optional(text),
  /** The repository that `repository` is a mirror of. */
  'mirror-of': v.optional(text),
  /** Its configuration, a path beside fleet.yml, instead of the one in its repository. */
  config: v.optional(text),
  enrolled: v.optional(v.boolean(), true),
  /** Why it is not enrolled. */
  reason: v.optional(text),
});

/** fleet.yml. `defaults` are laid below each recipe's own configuration and have its form; they are checked with it. */
export const fleetSchema = v.strictObject({
  ledger: v.optional(text),
  defaults: v.optional(v.record(v.string(), v.unknown()), {}),
  recipes: v.array(fleetEntry),
});

export type Fleet = v.InferOutput<typeof fleetSchema>;
export type FleetEntry = Fleet['recipes'][number];

/** A fleet, with the place of each of its entries. */
export interface FleetFile extends YamlFile<Fleet> {
  /** How people know the file, for messages. */
  readonly name: string;
}

/**
 * Reads fleet.yml. Fails with `config-invalid`, naming file, line, column and key; a recipe that is listed twice is
 * a mistake too, since one of the two would be forgotten. An empty list is valid here: what it means is the step's.
 */
export function readFleetFile(content: Uint8Array, name: string): FleetFile {
  const file = readYaml(fleetSchema, name, content);
  const seen = new Set<string>();
  for (const [index, { recipe }] of file.value.recipes.entries()) {
    if (seen.has(recipe)) throw file.wrong(['recipes', index, 'recipe'], `\`${recipe}\` is listed twice`);
    seen.add(recipe);
  }
  return { ...file, name };
}
