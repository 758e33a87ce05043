import type { LabelSection } from '../dossier/schema.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { Failure, type Finding, finding } from '../outcome.ts';
import type { Description } from '../provenance/labels.ts';
import type { Dockerfile, ImageRecipe, Recipe, Resolve } from '../recipe/making.ts';
import { code, table } from '../report/markdown.ts';
import type { Step, StepInput, StepResult } from './step.ts';

/** How long the forge may take to say what the repository is about; labels do not depend on it. */
const FORGE_PATIENCE_MS = 10_000;

/** Determines version, revision, recipe and labels. Builds nothing, asks no engine, pushes nothing. */
export const step: Step = {
  name: 'label',
  about: 'candidate',
  needs: () => [],
  async run(input) {
    const { candidate, settings, tools } = input;
    const findings: Finding[] = [];
    const resolve = patientResolve(input, findings);
    const made =
      candidate.subject.kind === 'compose' ? await ofCompose(input, resolve) : await ofImage(input, resolve);
    const { recipe } = made;
    const { planLabels, pageOfRemote } = await tools.labels();
    const version = candidate.version ?? (await tools.describe(candidate.commit));
    const plan = planLabels({
      ...(await described(input, pageOfRemote)),
      version,
      revision: candidate.commit,
      checkout: candidate.checkout,
      created: candidate.committedAt,
      dirty: candidate.dirty.length > 0,
      ...(made.from && { base: made.from }),
      recipe: { document: recipe.text, ...(recipe.digest !== undefined && { digest: recipe.digest }) },
      ...(made.dockerfileLabels && { dockerfileLabels: made.dockerfileLabels }),
      labels: settings.labels,
      annotations: settings.annotations,
    });
    if (recipe.digest === undefined) {
      const names = recipe.unresolved.join(', ');
      findings.push(
        finding('recipe-unresolved', 'info', `Not resolved yet: ${names}; build-push completes the recipe.`),
      );
    }
    const section: LabelSection = {
      outcome: 'done',
      reasons: recipe.digest === undefined ? ['labelled', 'recipe-unresolved'] : ['labelled'],
      version: plan.labels['dev.knowngood.version'] ?? version,
      revision: candidate.commit,
      ...(recipe.digest !== undefined && { recipeDigest: recipe.digest }),
      recipeDocument: recipe.text,
      labels: plan.labels,
      annotations: plan.annotations,
      ...(made.from && { from: made.from }),
    };
    return answer(section, findings);
  },
};

interface Made {
  readonly recipe: Recipe;
  readonly from?: NonNullable<LabelSection['from']>;
  readonly dockerfileLabels?: Readonly<Record<string, string>>;
}

async function ofImage({ settings, tools, signal, log }: StepInput, resolve: Resolve): Promise<Made> {
  const recipes = await tools.recipes();
  const folder = recipes.folderInside(await tools.tree(), settings.context);
  const context = await recipes.buildContext(folder, settings.dockerfile, signal);
  const tree = await recipes.hashTree(context, signal);
  log.detail(`${context.files.length} files in the build context ${settings.context}`);
  const { target } = settings;
  const recipe: ImageRecipe = await recipes.imageRecipe(
    {
      context,
      tree,
      platforms: settings.platforms,
      buildArgs: settings.buildArgs,
      labels: settings.labels,
      ...(target !== undefined && { target }),
    },
    resolve,
  );
  return {
    recipe,
    ...(recipe.from && { from: recipe.from }),
    dockerfileLabels: labelsIn(recipes, recipe.dockerfile, target),
  };
}

function labelsIn(
  { labelsOf }: { labelsOf: (dockerfile: Dockerfile, target?: string) => Readonly<Record<string, string>> },
  dockerfile: Dockerfile,
  target: string | undefined,
): Readonly<Record<string, string>> {
  return target === undefined ? labelsOf(dockerfile) : labelsOf(dockerfile, target);
}

async function ofCompose({ settings, tools, signal }: StepInput, resolve: Resolve): Promise<Made> {
  const recipes = await tools.recipes();
  const { files, envFile } = await tools.composeFiles();
  const folder = recipes.folderInside(await tools.tree(), settings.context);
  const application = recipes.readCompose({
    folder,
    composeFiles: files,
    ...(envFile !== undefined && { envFile }),
  });
  return { recipe: await recipes.composeRecipe(folder, application, resolve, signal) };
}

/**
 * A base that cannot be looked up here is not resolved, which is no answer about it: build-push, which has the
 * engine and must have every base, gives one or fails.
 */
function patientResolve({ tools }: StepInput, findings: Finding[]): Resolve {
  return async (reference: Reference) => {
    try {
      return (await (await tools.registry()).resolve(reference))?.digest;
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
      const message = `${formatReference(reference)} could not be looked up: ${error.message}`;
      findings.push(finding('recipe-unresolved', 'warning', message, { remedy: error.remedy }));
      return undefined;
    }
  };
}

/** What descriptive labels say: settings win in the plan; here are the forge's word and what the remote's URL tells. */
async function described(
  input: StepInput,
  pageOfRemote: (url: string) => string | undefined,
): Promise<Description> {
  const { event, settings, candidate } = input;
  const { slug, webUrl } = event.repository;
  const told = fromPayload(event.payload(), slug) ?? (await fromForge(input));
  const source =
    settings.sourceUrl ?? webUrl ?? told.url ?? pageOfRemote((await input.tools.repository()).url);
  const [owner, name] = slug?.split('/').slice(-2) ?? [];
  return {
    title: name ?? candidate.recipe,
    ...(owner !== undefined && name !== undefined && { vendor: owner }),
    ...(source !== undefined && { source, url: told.homepage ?? source.replace(/\.git$/, '') }),
    ...(told.description !== undefined && { description: told.description }),
    ...(told.licence !== undefined && { licenses: told.licence }),
  };
}

interface Told {
  readonly description?: string;
  readonly homepage?: string;
  readonly licence?: string;
  readonly url?: string;
}

/** GitHub's event says it all without a request. Its URLs are the sender's choice and are not taken. */
function fromPayload(payload: unknown, slug: string | undefined): Told | undefined {
  const repository = field(payload, 'repository');
  if (slug === undefined || field(repository, 'full_name') !== slug) return undefined;
  const description = field(repository, 'description');
  const licence = field(field(repository, 'license'), 'spdx_id');
  return {
    ...(typeof description === 'string' && { description: oneLine(description) }),
    ...(typeof licence === 'string' && licence !== 'NOASSERTION' && { licence }),
  };
}

async function fromForge({ settings, tools, event, log }: StepInput): Promise<Told> {
  if (
    event.repository.slug === undefined ||
    (settings.forgeToken === undefined && settings.forgeUrl === undefined)
  ) {
    return {};
  }
  const patience = new AbortController();
  try {
    const answer = await Promise.race([
      tools.forge().then((forge) => forge.repository()),
      tools.clock.sleep(FORGE_PATIENCE_MS, patience.signal).then(() => undefined),
    ]);
    if (answer === undefined) throw new Failure('cannot-determine', 'the forge did not answer in time.');
    const { description, homepage, licence, url } = answer;
    return {
      url,
      ...(description !== undefined && { description: oneLine(description) }),
      ...(homepage !== undefined && homepage !== '' && { homepage }),
      ...(licence !== undefined && licence !== 'NOASSERTION' && { licence }),
    };
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
    log.info(`Labels go without the forge's description: ${error.message}`);
    return {};
  } finally {
    patience.abort();
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function answer(section: LabelSection, findings: readonly Finding[]): StepResult {
  const { version, revision, recipeDigest, labels, annotations, from } = section;
  const rows: [string, string | undefined][] = [
    ['version', version],
    ['revision', revision],
    ['recipe', recipeDigest ?? 'not resolved yet'],
    ['base', from && (from.digest === undefined ? from.name : `${from.name}@${from.digest}`)],
  ];
  const facts = rows.flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
  return {
    outcome: section.outcome,
    reasons: section.reasons,
    section: { label: section },
    findings,
    outputs: {
      version,
      revision,
      'recipe-digest': recipeDigest,
      labels: JSON.stringify(labels),
      annotations: JSON.stringify(annotations),
      'from-name': from?.name,
      'from-digest': from?.digest,
    },
    facts,
    summary: table(
      ['', ''],
      facts.map(([name, value]) => [name, code(value)]),
    ),
  };
}
