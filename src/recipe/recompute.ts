import { type Digest, isDigest } from '../oci/digest.ts';
import { formatReference } from '../oci/reference.ts';
import { Failure } from '../outcome.ts';
import { readCompose } from './compose.ts';
import { composeRecipe } from './compose-recipe.ts';
import { type Difference, describeDifferences, recipeDifferences } from './difference.ts';
import { imagesOf, type Recipe, type RecipeDocument } from './document.ts';
import { buildContext } from './files.ts';
import { imageRecipe } from './image-recipe.ts';
import type { Resolve } from './resolve.ts';
import { parseRecipeDocument } from './stored-document.ts';
import { hashTree } from './tree.ts';

export interface Checkout {
  /** Absolute path of the build context, or of the application's folder; already checked. */
  readonly folder: string;
  /** For a compose document: the files that the application is made of now. */
  readonly composeFiles?: readonly string[];
  readonly envFile?: string;
  /** The platform that was built, where the document asked for none. */
  readonly enginePlatform?: string;
}

/** As verifying wants it: whether a checkout still gives the recipe, and else what differs, for people. */
export type Recomputed =
  | { readonly agrees: true }
  | {
      readonly agrees: false;
      readonly differing: readonly string[];
      readonly differences: readonly Difference[];
    };

/**
 * The recipe that a checkout gives now, with what a checkout does not determine taken from the stored document:
 * digests of images, build arguments, platforms, target, labels. A base that moved since is therefore no difference.
 */
export async function recomputeRecipe(
  checkout: Checkout,
  stored: RecipeDocument,
  signal?: AbortSignal,
): Promise<Recipe> {
  const digests = new Map<string, Digest>();
  for (const { reference, digest } of imagesOf(stored)) {
    if (digest !== undefined && isDigest(digest)) digests.set(reference, digest);
  }
  const resolve: Resolve = async (reference) => digests.get(formatReference(reference));
  if (stored.kind === 'compose') {
    const { folder, envFile } = checkout;
    const composeFiles = checkout.composeFiles ?? [];
    const application = readCompose({ folder, composeFiles, ...(envFile !== undefined && { envFile }) });
    return composeRecipe(folder, application, resolve, signal);
  }
  const context = await buildContext(checkout.folder, stored.dockerfile.path, signal);
  const tree = await hashTree(context, signal);
  const { enginePlatform } = checkout;
  const { target, platforms, buildArgs, labels } = stored;
  return imageRecipe(
    {
      context,
      tree,
      platforms,
      buildArgs,
      labels,
      ...(target !== undefined && { target }),
      ...(enginePlatform !== undefined && { enginePlatform }),
    },
    resolve,
  );
}

/** What a checkout can be so different in that it gives no recipe at all: a difference, not an error. */
const NO_RECIPE = [
  'dockerfile-missing',
  'dockerfile-invalid',
  'ignore-invalid',
  'compose-invalid',
  'setting-invalid',
];

/** Compares a published recipe with what a checkout gives. Fails with `recipe-invalid` where it cannot be read. */
export async function compareWithCheckout(
  checkout: Checkout,
  published: { readonly document: string },
  signal?: AbortSignal,
): Promise<Recomputed> {
  const stored = parseRecipeDocument(published.document);
  let recipe: Recipe;
  try {
    recipe = await recomputeRecipe(checkout, stored, signal);
  } catch (error) {
    if (!(error instanceof Failure) || !NO_RECIPE.includes(error.code)) throw error;
    return { agrees: false, differing: [error.message.replace(/\.$/, '')], differences: [] };
  }
  const differences = recipeDifferences({ document: stored }, { document: recipe.document });
  if (differences.length === 0) return { agrees: true };
  return { agrees: false, differing: describeDifferences(differences), differences };
}
