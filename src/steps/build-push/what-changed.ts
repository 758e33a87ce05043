import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../outcome.ts';
import type { ContextTree } from '../../recipe/tree.ts';
import type { Found } from '../../rules/reuse.ts';
import type { StepInput } from '../step.ts';
import type { Wanted } from './wanted.ts';

/**
 * What of the recipe is not what it was in an image that was found, for people: `context: src/a.ts changed`. Taken
 * from the image's own labels, which prove nothing and decide nothing here. Paths are named where the repository
 * still gives the commit that the image says it is of, and that commit gives the context that it says.
 */
export async function whatChanged(
  input: StepInput,
  wanted: Wanted,
  found: readonly Found[],
): Promise<readonly string[]> {
  const other = found.find(({ labels: [own] }) => {
    const inputs = own?.['dev.knowngood.inputs'];
    return inputs !== undefined && inputs !== wanted.recipe.text;
  });
  const labels = other?.labels[0];
  const text = labels?.['dev.knowngood.inputs'];
  if (text === undefined) return [];
  const recipes = await input.tools.recipes();
  try {
    const before = recipes.parseRecipeDocument(text);
    const after = { document: wanted.recipe.document, files: wanted.tree.files };
    const plain = recipes.recipeDifferences({ document: before }, after);
    if (before.kind !== 'image' || !plain.some((one) => one.input === 'context')) {
      return recipes.describeDifferences(plain);
    }
    const tree = await contextOf(input, labels?.['dev.knowngood.revision'] ?? '', before.dockerfile.path);
    const files = tree?.id === before.context ? { files: tree.files } : {};
    return recipes.describeDifferences(recipes.recipeDifferences({ document: before, ...files }, after));
  } catch (cause) {
    // A label that somebody else wrote, or a context that is no longer one: nothing that people must know.
    if (cause instanceof Failure && cause.code !== 'cancelled') return [];
    throw cause;
  }
}

async function contextOf(
  { tools, settings, out, signal }: StepInput,
  revision: string,
  dockerfile: string,
): Promise<ContextTree | undefined> {
  if (!/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(revision)) return undefined;
  const folder = mkdtempSync(join(out, 'before-'));
  try {
    const laidOut = await tools.layOut(revision, join(folder, 'tree'));
    const recipes = await tools.recipes();
    const context = recipes.folderInside(laidOut, settings.context);
    return await recipes.hashTree(await recipes.buildContext(context, dockerfile, signal), signal);
  } catch (cause) {
    if (cause instanceof Failure && cause.code !== 'cancelled') return undefined;
    throw cause;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
