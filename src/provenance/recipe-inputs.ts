import * as v from 'valibot';
import { type Digest, isDigest } from '../oci/digest.ts';

/** What provenance names of a recipe document: its bases and its context tree. */
export interface RecipeInputs {
  readonly bases: readonly { readonly name: string; readonly digest: Digest }[];
  readonly contextTree?: string;
}

const schema = v.looseObject({
  context: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  bases: v.optional(v.array(v.looseObject({ reference: v.string(), digest: v.string() })), []),
});

/**
 * Reads the parts of a recipe document that a provenance statement lists apart. The document itself goes into the
 * recipe statement whole, so what another version of it does not have is left out here, not an error.
 */
export function readInputs(document: string): RecipeInputs {
  let json: unknown;
  try {
    json = JSON.parse(document);
  } catch {
    return { bases: [] };
  }
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) return { bases: [] };
  const { bases, context } = parsed.output;
  return {
    bases: bases.flatMap(({ reference, digest }) => (isDigest(digest) ? [{ name: reference, digest }] : [])),
    ...(context === undefined ? {} : { contextTree: context }),
  };
}
