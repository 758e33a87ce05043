import { formatReference } from '../oci/reference.ts';
import type { ComposeApplication } from './compose.ts';
import { type ComposeDocument, type Recipe, type RecipeImage, seal } from './document.ts';
import { filesAt } from './files.ts';
import { type Resolve, resolveAll } from './resolve.ts';
import { type ContextTree, hashTree } from './tree.ts';

export interface ComposeRecipe extends Recipe {
  readonly document: ComposeDocument;
  readonly tree: ContextTree;
}

/** Makes the recipe of a compose application: the tree of the files it uses, and every image's digest. */
export async function composeRecipe(
  folder: string,
  application: ComposeApplication,
  resolve: Resolve,
  signal?: AbortSignal,
): Promise<ComposeRecipe> {
  const tree = await hashTree(await filesAt(folder, application.paths, signal), signal);
  const services = Object.entries(application.images);
  const digests = await resolveAll(
    services.map(([, { reference }]) => reference),
    resolve,
  );
  const images = services.map(([service, { reference }]): [string, RecipeImage] => {
    const name = formatReference(reference);
    const digest = digests.get(name);
    return [service, { reference: name, ...(digest && { digest }) }];
  });
  const document: ComposeDocument = {
    schema: 'knowngood/recipe/v1',
    kind: 'compose',
    tree: tree.id,
    files: tree.files.map(({ path }) => path),
    images: Object.fromEntries(images),
  };
  return { ...seal(document), document, tree };
}
