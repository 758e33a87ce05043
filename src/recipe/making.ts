/** What the steps need of this room. */

export { type ComposeApplication, readCompose, usualComposeFiles } from './compose.ts';
export { composeRecipe } from './compose-recipe.ts';
export { type Difference, describeDifferences, onlyBasesMoved, recipeDifferences } from './difference.ts';
export { type Dockerfile, labelsOf, readDockerfile } from './dockerfile.ts';
export type { ComposeDocument, ImageDocument, Recipe, RecipeDocument } from './document.ts';
export { type BuildContext, buildContext } from './files.ts';
export { hideDockerfile, rulesThatHide } from './ignored-dockerfile.ts';
export { type ImageInputs, type ImageRecipe, imageRecipe } from './image-recipe.ts';
export { folderInside } from './inside.ts';
export { locateInstruction } from './locate.ts';
export { type Checkout, compareWithCheckout, recomputeRecipe } from './recompute.ts';
export type { Resolve } from './resolve.ts';
export { parseRecipeDocument } from './stored-document.ts';
export { packContext } from './tar.ts';
export { type ContextTree, hashTree } from './tree.ts';
