import { Failure } from '../outcome.ts';

const PATTERN = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;

/** Whether this can name a recipe, and so a folder of the ledger: never hidden, never a path. */
export function isRecipeName(text: string): boolean {
  return PATTERN.test(text);
}

/** Fails with `recipe-name-invalid`: a name becomes a path in the ledger, so nothing else may get that far. */
export function assertRecipeName(text: string): void {
  if (isRecipeName(text)) return;
  throw new Failure(
    'recipe-name-invalid',
    `${JSON.stringify(text.slice(0, 100))} cannot be the name of a recipe.`,
  );
}
