/** What the steps `verify` and `promote`, and build-push's proof of reuse, need of this room. */
export { publishedRecipe } from './labels-agree.ts';
export { readPolicy } from './policy.ts';
export { predicateTypes } from './statement.ts';
export { verifyImage } from './verify.ts';
