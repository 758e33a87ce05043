import { type Finding, finding } from '../../outcome.ts';
import { type Known, open } from './looked-up.ts';

export interface RecipeFacts {
  /** The published image and the tag it is of, for people. */
  readonly image: string;
  readonly tag: string;
  /** `none`: the image names no recipe. Else the inputs that differ between it and the tag's tree. */
  readonly compared: Known<'none' | { readonly differing: readonly string[] }>;
}

/** The published image was made from the recipe that the tag's tree gives. */
export function checkRecipe({ image, tag, compared }: RecipeFacts): Finding[] {
  if ('unanswered' in compared) return [open(`The recipe of ${image}`, compared)];
  if (compared.known === 'none' || compared.known.differing.length === 0) return [];
  const { differing } = compared.known;
  const message = `The recipe of ${image} is not that of the tree of ${tag}: ${differing.join(', ')}.`;
  return [finding('recipe-differs', 'error', message, { found: differing.join(', ') })];
}
