import * as v from 'valibot';
import { parseStrictJson } from '../oci/strict-json.ts';
import { Failure } from '../outcome.ts';
import { DRONE_BUILD_TYPE } from './drone-run.ts';
import { fault } from './fault.ts';
import { GITHUB_BUILD_TYPE } from './github-run.ts';
import { TEST_MEDIA_TYPE } from './predicates.ts';
import { predicateTypes, STATEMENT_TYPE, type Statement } from './statement.ts';
import { WOODPECKER_BUILD_TYPE } from './woodpecker-run.ts';

/** What a statement says, in one vocabulary for all its kinds. What a kind does not say is absent. */
export interface Claims {
  readonly builder: string;
  /** `git+<repository>@<ref>` of the recipe's source. */
  readonly source: string;
  /** No source is named apart: it is what the pipeline itself was taken from. */
  readonly sourceIsPipelines: boolean;
  readonly commit: string;
  readonly version?: string;
  readonly recipe?: string;
  readonly document?: string;
  /** Only test results have one. */
  readonly result?: 'PASSED' | 'WARNED' | 'FAILED';
  /** The test result in full, as JSON that nobody has looked at; absent where it is not of our making. */
  readonly details?: unknown;
}

const hex = (length: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${length}}$`)));

const statementSchema = v.object({
  // cosign 3 still writes the older name for the same shape.
  _type: v.picklist([STATEMENT_TYPE, 'https://in-toto.io/Statement/v0.1']),
  subject: v.pipe(
    v.array(v.looseObject({ name: v.optional(v.string()), digest: v.record(v.string(), v.string()) })),
    v.minLength(1),
  ),
  predicateType: v.string(),
  predicate: v.looseObject({}),
});

/** @throws Failure `attestation-invalid` */
export function parseStatement(payload: Uint8Array): Statement {
  let json: unknown;
  try {
    json = parseStrictJson(payload, 'The statement');
  } catch (cause) {
    throw new Failure('attestation-invalid', 'The statement is not strict JSON.', { cause });
  }
  check(statementSchema, json);
  return json as Statement;
}

const descriptor = v.looseObject({
  name: v.optional(v.string()),
  uri: v.optional(v.string()),
  digest: v.optional(v.record(v.string(), v.string())),
  mediaType: v.optional(v.string()),
  content: v.optional(v.pipe(v.string(), v.base64())),
});

const provenanceSchema = v.object({
  buildDefinition: v.object({
    buildType: v.picklist([GITHUB_BUILD_TYPE, DRONE_BUILD_TYPE, WOODPECKER_BUILD_TYPE]),
    externalParameters: v.looseObject({}),
    resolvedDependencies: v.pipe(v.array(descriptor), v.minLength(1)),
  }),
  runDetails: v.object({
    builder: v.object({ id: v.string() }),
    byproducts: v.optional(v.array(descriptor), []),
  }),
});

// An external parameter that we do not know may have changed what was built, so it is refused (SLSA, "Verifying").
const github = v.strictObject({
  workflow: v.strictObject({ ref: v.string(), repository: v.string(), path: v.string() }),
});
const pipeline = v.strictObject({
  pipeline: v.strictObject({ repository: v.string(), ref: v.string(), name: v.optional(v.string()) }),
  event: v.string(),
  deployTo: v.optional(v.string()),
  parent: v.optional(v.string()),
});

const recipeSchema = v.object({
  builder: v.object({ id: v.string() }),
  source: v.object({ uri: v.string(), digest: v.object({ gitCommit: hex(40) }) }),
  version: v.optional(v.string()),
  revision: hex(40),
  recipe: v.object({ digest: v.string(), document: v.string() }),
  how: v.picklist(['built', 'relabelled']),
});

const testResultSchema = v.object({
  result: v.picklist(['PASSED', 'WARNED', 'FAILED']),
  configuration: v.array(descriptor),
});

/**
 * What this statement claims. A kind, build type or parameter that we do not know is `attestation-invalid`, for
 * nobody could say what it means.
 */
export function claimsOf(statement: Statement): Claims {
  switch (statement.predicateType) {
    case predicateTypes.provenance:
      return provenanceClaims(check(provenanceSchema, statement.predicate));
    case predicateTypes.recipe: {
      const said = check(recipeSchema, statement.predicate);
      if (said.revision !== said.source.digest.gitCommit)
        throw invalid('names two commits as what was built');
      return {
        builder: said.builder.id,
        source: said.source.uri,
        sourceIsPipelines: false,
        commit: said.revision,
        recipe: said.recipe.digest,
        document: said.recipe.document,
        ...(said.version === undefined ? {} : { version: said.version }),
      };
    }
    case predicateTypes.testResult: {
      const { configuration, result } = check(testResultSchema, statement.predicate);
      const builder = configuration.find((entry) => entry.name === 'builder')?.uri;
      if (builder === undefined) throw invalid('names no builder');
      const source = sourceOf(configuration.find((entry) => entry.name === 'source'));
      const content = configuration.find(({ mediaType }) => mediaType === TEST_MEDIA_TYPE)?.content;
      const details = content === undefined ? {} : { details: detailsOf(content) };
      return { builder, result, ...source, sourceIsPipelines: false, ...details };
    }
    default:
      throw invalid('is of a kind that we do not know');
  }
}

function detailsOf(content: string): unknown {
  try {
    return parseStrictJson(Buffer.from(content, 'base64'), 'The test result');
  } catch {
    throw invalid('has a test result that is not strict JSON');
  }
}

function provenanceClaims(said: v.InferOutput<typeof provenanceSchema>): Claims {
  const { buildType, externalParameters, resolvedDependencies } = said.buildDefinition;
  check(buildType === GITHUB_BUILD_TYPE ? github : pipeline, externalParameters);
  const apart = resolvedDependencies.find((entry) => entry.name === 'source');
  const recipe = said.runDetails.byproducts.find((entry) => entry.name === 'recipe.json')?.digest?.sha256;
  return {
    builder: said.runDetails.builder.id,
    ...sourceOf(apart ?? resolvedDependencies[0]),
    sourceIsPipelines: apart === undefined,
    ...(recipe === undefined ? {} : { recipe: `v1:sha256:${recipe}` }),
  };
}

function sourceOf(entry: v.InferOutput<typeof descriptor> | undefined): Pick<Claims, 'source' | 'commit'> {
  const commit = entry?.digest?.gitCommit;
  if (entry?.uri === undefined || commit === undefined) throw invalid('does not say what source was built');
  return { source: entry.uri, commit };
}

function check<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw invalid(`is not one that we read: ${fault(parsed.issues)}`);
}

function invalid(what: string): Failure {
  return new Failure('attestation-invalid', `The statement ${what}.`);
}
