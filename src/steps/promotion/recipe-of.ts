import type { FreeStepInput } from '../step.ts';

/** The recipe's name for steps without a candidate: as promote finds it, or without any look-up where it is set. */
export async function recipeOf({ settings, tools }: FreeStepInput): Promise<string> {
  if (settings.recipe !== undefined) return settings.recipe;
  return (await tools.recipeFile()).value.recipe ?? tools.recipeName;
}
