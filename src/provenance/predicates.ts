import type { TierResult } from '../dossier/schema.ts';
import type { Digest } from '../oci/digest.ts';
import { GITHUB_BUILD_TYPE } from './github-run.ts';
import type { PipelineRun, PipelineSource } from './pipeline-run.ts';
import { hexOf, type ResourceDescriptor } from './statement.ts';

/** What was built, as far as it is not the pipeline's own source. */
export interface BuiltFrom {
  /** Repository, ref and commit of the recipe; in a sweep another repository than the pipeline's. */
  readonly source: PipelineSource;
  /** Base images, each by the name that was written and the digest that it resolved to. */
  readonly bases: readonly { readonly name: string; readonly digest: Digest; readonly platform?: string }[];
  /** Context tree in git's sha256 format, 64 hex. */
  readonly contextTree?: string;
  /** `v1:sha256:…`; absent where a base is known to the local engine only. */
  readonly recipe?: string;
}

export interface ProvenancePredicate {
  readonly buildDefinition: {
    readonly buildType: string;
    readonly externalParameters: object;
    readonly internalParameters: object;
    readonly resolvedDependencies: readonly ResourceDescriptor[];
  };
  readonly runDetails: {
    readonly builder: PipelineRun['builder'];
    readonly metadata: PipelineRun['metadata'];
    readonly byproducts?: readonly ResourceDescriptor[];
  };
}

/**
 * SLSA provenance v1 (https://slsa.dev/spec/v1.0/provenance). On GitHub it holds what GitHub's own holds and no
 * more, because GitHub checks the content of what it stores; base images and recipe are in the recipe statement.
 */
export function provenancePredicate(run: PipelineRun, built: BuiltFrom): ProvenancePredicate {
  const plain = run.buildType === GITHUB_BUILD_TYPE;
  const material: ResourceDescriptor[] = plain
    ? []
    : [
        ...built.bases.map(({ name, digest, platform }) => ({
          uri: packageUrl(name, platform),
          digest: { sha256: hexOf(digest) },
        })),
        ...(built.contextTree === undefined
          ? []
          : [{ name: 'build-context', digest: { gitTree: built.contextTree } }]),
      ];
  return {
    buildDefinition: {
      buildType: run.buildType,
      externalParameters: run.externalParameters,
      internalParameters: run.internalParameters,
      resolvedDependencies: [
        sourceDescriptor(run.source),
        ...recipeSource(run.source, built.source),
        ...material,
      ],
    },
    runDetails: {
      builder: run.builder,
      metadata: run.metadata,
      ...(plain || built.recipe === undefined ? {} : { byproducts: [recipeDescriptor(built.recipe)] }),
    },
  };
}

export interface RecipePredicate {
  readonly builder: { readonly id: string };
  readonly source: ResourceDescriptor;
  readonly version?: string;
  readonly revision: string;
  /** `v1:sha256:…`, and the document whose sha256 it is (canonical JSON text). */
  readonly recipe: { readonly digest: string; readonly document: string };
  /** `built`: by this run. `relabelled`: new labels over layers that were there already. */
  readonly how: 'built' | 'relabelled';
  readonly base?: ResourceDescriptor;
}

/** Our own statement: this digest was made from this recipe, as this version of this commit. */
export function recipePredicate(
  run: PipelineRun,
  made: Omit<RecipePredicate, 'builder' | 'source'> & { readonly source: PipelineSource },
): RecipePredicate {
  const { source, ...rest } = made;
  return { builder: { id: run.builder.id }, source: sourceDescriptor(source), ...rest };
}

/** Media type of the whole result as JSON, in a descriptor's `content`: the type's own lists are names only. */
export const TEST_MEDIA_TYPE = 'application/vnd.dev.knowngood.test.v1+json';

export interface TestResultPredicate {
  readonly result: 'PASSED' | 'FAILED';
  readonly configuration: readonly ResourceDescriptor[];
  readonly url?: string;
  readonly passedTests: readonly string[];
  readonly failedTests: readonly string[];
}

/**
 * in-toto's test result v0.1. A tier that does not apply is in neither list. An inconclusive run has no result,
 * so there is no statement about it: the type knows passed, warned and failed only.
 */
export function testResultPredicate(
  run: PipelineRun,
  tested: {
    readonly verdict: 'green' | 'red';
    readonly tiers: readonly Pick<TierResult, 'name' | 'verdict'>[];
    readonly source: PipelineSource;
    readonly recipe?: string;
    readonly url?: string;
    /** How it was tested, with what and from which base: JSON, for whoever decides by it later. */
    readonly details: object;
  },
): TestResultPredicate {
  const named = (verdict: TierResult['verdict']): string[] =>
    tested.tiers.filter((tier) => tier.verdict === verdict).map((tier) => tier.name);
  return {
    result: tested.verdict === 'green' ? 'PASSED' : 'FAILED',
    configuration: [
      { name: 'builder', uri: run.builder.id },
      { name: 'source', ...sourceDescriptor(tested.source) },
      ...(tested.recipe === undefined ? [] : [recipeDescriptor(tested.recipe)]),
      {
        name: 'test',
        mediaType: TEST_MEDIA_TYPE,
        content: Buffer.from(JSON.stringify(tested.details)).toString('base64'),
      },
    ],
    ...(tested.url === undefined ? {} : { url: tested.url }),
    passedTests: named('pass'),
    failedTests: named('fail'),
  };
}

function sourceDescriptor({ repository, ref, commit }: PipelineSource): ResourceDescriptor {
  return { uri: `git+${repository}@${ref}`, digest: { gitCommit: commit } };
}

/** Named apart only where it is not the pipeline's own: a sweep, or a release tag built by a dispatched run. */
function recipeSource(pipeline: PipelineSource, recipe: PipelineSource): ResourceDescriptor[] {
  const own = sourceDescriptor(pipeline);
  const other = sourceDescriptor(recipe);
  return own.uri === other.uri && pipeline.commit === recipe.commit ? [] : [{ name: 'source', ...other }];
}

function recipeDescriptor(recipe: string): ResourceDescriptor {
  return { name: 'recipe.json', digest: { sha256: recipe.slice(recipe.lastIndexOf(':') + 1) } };
}

/**
 * A base image as BuildKit names it, so that scanners join the two: `pkg:docker/name@tag?platform=…`, Docker Hub's
 * host and `library/` left out (package-url, type docker).
 */
function packageUrl(name: string, platform: string | undefined): string {
  const bare = name.replace(/@sha256:[0-9a-f]{64}$/, '');
  const colon = bare.indexOf(':', bare.lastIndexOf('/') + 1);
  const path = (colon < 0 ? bare : bare.slice(0, colon)).replace(/^docker\.io\/(library\/)?/, '');
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const tag = colon < 0 ? '' : `@${encodeURIComponent(bare.slice(colon + 1))}`;
  return `pkg:docker/${encoded}${tag}${platform === undefined ? '' : `?platform=${encodeURIComponent(platform)}`}`;
}
