import * as v from 'valibot';
import { testSection } from './test-section.ts';
import { readYaml, type YamlFile } from './yaml-file.ts';

const text = v.pipe(v.string(), v.trim(), v.nonEmpty('must not be empty'));

/** A day, `2027-01-01`. The core schema of YAML 1.2 leaves it a text. */
const day = v.pipe(
  text,
  v.regex(/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/, 'must be a day such as 2027-01-01'),
);

/** Versions are texts; `1.0` without quotes is a number to YAML and would lose its zero. */
const version = v.pipe(
  v.string('must be a text; put the version in quotes'),
  v.trim(),
  v.nonEmpty('must not be empty'),
);

const recipeName = v.pipe(
  text,
  v.regex(
    /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/,
    'must be lower-case letters, digits, `.`, `_` and `-`, at most 64',
  ),
);

const versionSource = v.strictObject({
  from: v.union(
    [
      v.picklist(['tag', 'label']),
      v.strictObject({ file: v.strictObject({ path: text, key: v.optional(text) }) }),
    ],
    'must be `tag`, `label` or `file: { path, key }`',
  ),
});

const knownBroken = v.union(
  [
    v.pipe(
      version,
      v.transform((broken): { version: string; reason?: string; until?: string } => ({ version: broken })),
    ),
    v.strictObject({ version, reason: v.optional(text), until: v.optional(day) }),
  ],
  'must be a version in quotes, or { version, reason, until }',
);

const pin = v.union(
  [
    v.pipe(
      version,
      v.transform((pinned): { version: string; for?: string; until?: string } => ({ version: pinned })),
    ),
    v.strictObject({ version, for: v.optional(text), until: v.optional(day) }),
  ],
  'must be a version in quotes, or { version, for, until }',
);

/** knowngood.yml. Everything is optional: a recipe without the file has the defaults. */
export const recipeSchema = v.strictObject({
  recipe: v.optional(recipeName),
  image: v.optional(text),
  version: v.optional(versionSource),
  releases: v.optional(v.strictObject({ tags: v.optional(text), branch: v.optional(text) }), {}),
  enrolled: v.optional(v.boolean(), true),
  'known-broken': v.optional(v.array(knownBroken), []),
  'upgrade-base': v.optional(pin),
  'expected-na': v.optional(v.record(text, v.strictObject({ reason: text, versions: v.optional(text) })), {}),
  test: v.optional(testSection),
  drift: v.optional(v.strictObject({ pins: v.optional(v.array(text)) }), {}),
});

export type RecipeConfig = v.InferOutput<typeof recipeSchema>;

/** The configuration of a recipe, from the tip of its release branch. */
export interface RecipeFile extends YamlFile<RecipeConfig> {
  /** How people know the file, for messages. */
  readonly name: string;
  /** False where the release branch has no such file: all defaults. */
  readonly exists: boolean;
}

/** Reads knowngood.yml; `undefined` is the file that is not there. `defaults` are a fleet's, laid below it. */
export function readRecipeFile(
  content: Uint8Array | undefined,
  name: string,
  defaults: Readonly<Record<string, unknown>> = {},
): RecipeFile {
  return {
    ...readYaml(recipeSchema, name, content ?? new Uint8Array(), defaults),
    name,
    exists: content !== undefined,
  };
}
