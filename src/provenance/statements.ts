import type { RunContext, TestSection } from '../dossier/schema.ts';
import type { Digest } from '../oci/digest.ts';
import { Failure } from '../outcome.ts';
import { droneRun } from './drone-run.ts';
import { githubRun } from './github-run.ts';
import type { Facts, PipelineRun, PipelineSource } from './pipeline-run.ts';
import { provenancePredicate, recipePredicate, testResultPredicate } from './predicates.ts';
import { readInputs } from './recipe-inputs.ts';
import { predicateTypes, type Statement, statementAbout } from './statement.ts';
import type { PublishedRecipe } from './verification.ts';
import { woodpeckerRun } from './woodpecker-run.ts';

export { publishedRecipe } from './labels-agree.ts';
export { repositoryPage } from './pipeline-run.ts';

/** A statement to be written, by the name that its files bear. */
export interface PlannedStatement {
  readonly name: 'provenance' | 'recipe' | 'test-result';
  readonly statement: Statement;
}

/** What of the image the statements are about. */
export interface StatedImage {
  /** Without tag. */
  readonly name: string;
  /** Index or manifest, then each platform's manifest. */
  readonly digests: readonly Digest[];
  readonly source: PipelineSource;
}

/**
 * The run as the host describes it.
 *
 * @param host     `github`, `drone` or `woodpecker`; in a terminal nobody runs anything that could be named
 * @param version  of this program
 * @throws Failure `run-facts-missing`
 */
export function pipelineRun(host: string, facts: Facts, context: RunContext, version: string): PipelineRun {
  switch (host) {
    case 'github':
      return githubRun(facts);
    case 'drone':
      return droneRun(facts, context, version);
    case 'woodpecker':
      return woodpeckerRun(facts, context, version);
    default:
      throw new Failure('run-facts-missing', 'A statement names the CI run that made it, and this is none.');
  }
}

/**
 * The statements about a release. How it was built is claimed only by the run that built it: of a relabelled image
 * the layers are another run's, so there is the recipe statement alone, which says so.
 */
export function releaseStatements(
  run: PipelineRun,
  image: StatedImage,
  made: {
    readonly how: 'built' | 'relabelled';
    readonly version?: string;
    readonly recipe?: PublishedRecipe;
  },
): PlannedStatement[] {
  const { how, version, recipe } = made;
  const inputs = recipe === undefined ? undefined : readInputs(recipe.document);
  const plan: PlannedStatement[] = [];
  if (how === 'built') {
    const predicate = provenancePredicate(run, {
      source: image.source,
      bases: inputs?.bases ?? [],
      ...(inputs?.contextTree === undefined ? {} : { contextTree: inputs.contextTree }),
      ...(recipe === undefined ? {} : { recipe: recipe.digest }),
    });
    const statement = statementAbout(image.name, image.digests, predicateTypes.provenance, predicate);
    plan.push({ name: 'provenance', statement });
  }
  // Without a recipe digest (a base that only the local engine knows) there is nothing that this could claim.
  if (recipe !== undefined) {
    const predicate = recipePredicate(run, {
      source: image.source,
      ...(version === undefined ? {} : { version }),
      revision: image.source.commit,
      recipe: { digest: recipe.digest, document: recipe.document },
      how,
    });
    plan.push({
      name: 'recipe',
      statement: statementAbout(image.name, image.digests, predicateTypes.recipe, predicate),
    });
  }
  return plan;
}

/** The statement about a test; of a change it is the only one. `details`: the test as a promotion reads it. */
export function testStatement(
  run: PipelineRun,
  image: StatedImage,
  tested: Pick<TestSection, 'tiers'> & { readonly verdict: 'green' | 'red'; readonly details: object },
  more: { readonly recipe?: string; readonly url?: string },
): PlannedStatement {
  const { verdict, tiers, details } = tested;
  const predicate = testResultPredicate(run, { verdict, tiers, details, source: image.source, ...more });
  return {
    name: 'test-result',
    statement: statementAbout(image.name, image.digests, predicateTypes.testResult, predicate),
  };
}
