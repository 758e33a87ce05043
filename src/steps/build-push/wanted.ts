import type { LabelSection } from '../../dossier/schema.ts';
import { parseReference, type Reference, repositoryName } from '../../oci/reference.ts';
import { Failure, type Finding, finding } from '../../outcome.ts';
import type { BuildContext } from '../../recipe/files.ts';
import type { ImageRecipe } from '../../recipe/image-recipe.ts';
import type { ContextTree } from '../../recipe/tree.ts';
import type { StepInput } from '../step.ts';

/** What is to be there in the end: the image's name, its recipe, and its labels. */
export interface Wanted {
  /** Without tag and digest. */
  readonly image: Reference;
  /** `host/repository`. */
  readonly name: string;
  readonly context: BuildContext;
  readonly tree: ContextTree;
  readonly recipe: ImageRecipe;
  /** The static labels of the recipe and those of this candidate. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339 time of the commit. */
  readonly created: string;
  readonly findings: readonly Finding[];
}

/**
 * Derives the recipe again from checkout and settings: the dossier is a hand-off. What `label` could not know (a base
 * that was not resolved, the engine's platform) is completed; a tree that is no longer the labelled one is
 * `candidate-changed`, with what changed.
 */
export async function wantedImage(input: StepInput, imageName: string): Promise<Wanted> {
  const { settings, tools, candidate, dossier, signal } = input;
  const label = dossier.label as LabelSection;
  const recipes = await tools.recipes();
  const folder = recipes.folderInside(await tools.tree(), settings.context);
  const context = await recipes.buildContext(folder, settings.dockerfile, signal);
  const tree = await recipes.hashTree(context, signal);
  const labelled = recipes.parseRecipeDocument(label.recipeDocument);
  if (labelled.kind !== 'image') {
    throw new Failure(
      'dossier-invalid',
      'The label section is of a compose application, and an image is to be built.',
    );
  }
  const make = (enginePlatform: string | undefined) =>
    recipes.imageRecipe(
      {
        context,
        tree,
        platforms: settings.platforms,
        buildArgs: settings.buildArgs,
        labels: labelled.labels,
        ...(settings.target === undefined ? {} : { target: settings.target }),
        ...(enginePlatform === undefined ? {} : { enginePlatform }),
      },
      (reference) => resolveBase(input, reference),
    );
  let recipe = await make(undefined);
  if (recipe.unresolved.some((name) => name.startsWith('$'))) {
    recipe = await make((await (await tools.engine()).info()).platform);
  }
  const differences = recipes.recipeDifferences(
    { document: labelled },
    { document: recipe.document, files: tree.files },
  );
  const moved = differences.filter(({ input: what }) =>
    ['context', 'dockerfile', 'ignore-file'].includes(what),
  );
  if (moved.length > 0) {
    throw new Failure(
      'candidate-changed',
      `The build context is no longer what \`label\` looked at: ${recipes.describeDifferences(moved).join(', ')}.`,
    );
  }
  const image = parseReference(imageName);
  if (image.tag !== undefined || image.digest !== undefined) {
    throw new Failure('setting-invalid', `\`image\` (${imageName}) must be without tag and digest.`);
  }
  const { labelsWithRecipe, annotationsWithRecipe } = await tools.labels();
  const own = { document: recipe.text, ...(recipe.digest === undefined ? {} : { digest: recipe.digest }) };
  return {
    image,
    name: repositoryName(image),
    context,
    tree,
    recipe,
    // What is built, not what `label` thought would be.
    labels: labelsWithRecipe(label.labels, own, recipe.from),
    annotations: annotationsWithRecipe(label.annotations, own, recipe.from),
    created: candidate.committedAt,
    findings: remarks(recipes.describeDifferences(differences), recipe),
  };
}

function remarks(differences: readonly string[], recipe: ImageRecipe): Finding[] {
  const findings: Finding[] = [];
  if (differences.length > 0) {
    findings.push(
      finding(
        'recipe-unresolved',
        'info',
        `The recipe is completed since \`label\`: ${differences.join(', ')}.`,
      ),
    );
  }
  if (recipe.unresolved.length > 0) {
    findings.push(
      finding(
        'recipe-local',
        'warning',
        `Only this engine has ${recipe.unresolved.join(', ')}, so the recipe has no digest.`,
      ),
    );
  }
  return findings;
}

/**
 * A base's digest as its registry has it. A base that no registry has, or that cannot be asked for, may be one that
 * somebody built on this engine: then the recipe has no digest. Anything else fails.
 */
async function resolveBase({ tools }: StepInput, reference: Reference) {
  const registry = await tools.registry();
  let failure: Failure;
  try {
    const found = await registry.resolve(reference);
    if (found) return found.digest;
    failure = new Failure(
      'base-unresolved',
      `${repositoryName(reference)}:${reference.tag} is not in its registry.`,
    );
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code === 'cancelled') throw cause;
    failure = cause;
  }
  const engine = await tools.engine().catch(() => undefined);
  const name = localName(reference);
  const local = await engine?.image(name);
  // What was pulled has a digest from there, and an old one must not stand in for a registry that does not answer.
  if (local && local.repoDigests.length === 0) return undefined;
  throw failure;
}

/** As engines list it: without Docker Hub's host and `library/`. */
function localName({ registry, repository, tag }: Reference): string {
  const path = registry === 'docker.io' ? repository.replace(/^library\//, '') : `${registry}/${repository}`;
  return tag === undefined ? path : `${path}:${tag}`;
}
