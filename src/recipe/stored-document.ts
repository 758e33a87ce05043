import * as v from 'valibot';
import { Failure } from '../outcome.ts';
import { canonicalJson } from './canonical-json.ts';
import type { RecipeDocument } from './document.ts';

const digest = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/));
const tree = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const texts = v.record(v.string(), v.string());
const image = v.strictObject({ reference: v.string(), digest: v.exactOptional(digest) });
const file = v.strictObject({ path: v.string(), digest });
const schema = v.literal('knowngood/recipe/v1');

const document = v.variant('kind', [
  v.strictObject({
    schema,
    kind: v.literal('image'),
    context: tree,
    dockerfile: file,
    ignoreFile: v.exactOptional(file),
    target: v.exactOptional(v.string()),
    platforms: v.array(v.string()),
    buildArgs: texts,
    bases: v.array(image),
    frontend: v.exactOptional(image),
    labels: texts,
  }),
  v.strictObject({
    schema,
    kind: v.literal('compose'),
    tree,
    files: v.array(v.string()),
    images: v.record(v.string(), image),
  }),
]);

/**
 * Reads a recipe document that somebody stored: in a label, which anyone who can push can write, or in a statement.
 * Only the one canonical spelling is accepted. Fails with `recipe-invalid`.
 */
export function parseRecipeDocument(text: string): RecipeDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Failure('recipe-invalid', 'The recipe document is not JSON.', { cause });
  }
  const named = v.safeParse(v.looseObject({ schema: v.string() }), value);
  if (named.success && /^knowngood\/recipe\/v(?!1$)\d+$/.test(named.output.schema)) {
    throw new Failure(
      'recipe-invalid',
      'The recipe document is of a newer version than this program reads.',
      {
        remedy: 'Use the version of knowngood that wrote it, or a newer one.',
      },
    );
  }
  const read = v.safeParse(document, value);
  if (!read.success) {
    const where = v.getDotPath(read.issues[0]) ?? 'as a whole';
    throw new Failure('recipe-invalid', `The recipe document is not one: ${where}.`);
  }
  if (canonicalJson(read.output) !== text) {
    throw new Failure('recipe-invalid', 'The recipe document is not in its canonical spelling.');
  }
  return read.output;
}
