/** What the steps that make or check an image need of this room. */

export { describeDifferences, recipeDifferences } from './difference.ts';
export { buildContext } from './files.ts';
export { hideDockerfile } from './ignored-dockerfile.ts';
export { imageRecipe } from './image-recipe.ts';
export { folderInside } from './inside.ts';
export { locateInstruction } from './locate.ts';
export { parseRecipeDocument } from './stored-document.ts';
export { packContext } from './tar.ts';
export { hashTree } from './tree.ts';
