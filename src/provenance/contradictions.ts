import { digestOf } from '../oci/digest.ts';
import type { Claims } from './claims.ts';
import type { Policy } from './policy.ts';
import type { Expected } from './verification.ts';
import type { Signer } from './verify-bundle.ts';

/** One thing that a statement says and that should be otherwise. */
export interface Contradiction {
  /** `builder`, `repository`, `ref`, `commit`, … */
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

/**
 * Everything in which a statement, properly signed over our digest, contradicts policy, caller or itself. All
 * comparisons are exact. `[]`: nothing.
 */
export function contradictions(
  claims: Claims,
  signer: Signer,
  policy: Policy,
  expected: Expected,
): Contradiction[] {
  const all: Contradiction[] = [];
  const compare = (what: string, wanted: readonly string[], found: string | undefined): void => {
    if (found !== undefined && !wanted.includes(found))
      all.push({ what, expected: wanted.join(' or '), found });
  };

  all.push(...ofBuilder(claims.builder, signer.builders, expected));
  const prefix = `git+${policy.repository}@`;
  if (claims.source.startsWith(`${prefix}refs/`)) {
    if (expected.refs !== undefined)
      compare('ref', refsFor(claims, expected), claims.source.slice(prefix.length));
  } else {
    all.push({ what: 'repository', expected: policy.repository, found: claims.source.replace(/^git\+/, '') });
  }
  if (expected.commit !== undefined) compare('commit', [expected.commit], claims.commit);
  compare('commit of the certificate', [claims.commit], signer.sourceCommit);
  if (expected.version !== undefined) compare('version', [expected.version], claims.version);
  if (expected.recipe !== undefined) compare('recipe', [expected.recipe], claims.recipe);
  if (claims.document !== undefined) {
    compare('recipe', [`v1:${digestOf(claims.document)}`], claims.recipe);
  }
  if (expected.anyResult !== true) compare('test result', ['PASSED'], claims.result);
  return all;
}

/**
 * A dispatched or scheduled run of GitHub's names the branch that it ran on, though a release tag is what it built.
 * That is as good as the tag where the commit is compared too, and nothing without.
 */
function refsFor(
  { sourceIsPipelines }: Claims,
  { commit, refs = [], pipelineRefs = [] }: Expected,
): string[] {
  return sourceIsPipelines && commit !== undefined ? [...refs, ...pipelineRefs] : [...refs];
}

/**
 * GitHub puts the workflow's ref behind the builder's name. A policy that names the builder without it means: at a
 * ref that the caller expects, and only at that.
 */
function ofBuilder(
  found: string,
  builders: readonly string[],
  { refs = [], pipelineRefs = [] }: Expected,
): Contradiction[] {
  if (builders.includes(found)) return [];
  const named = builders.find((builder) => found.startsWith(`${builder}@`));
  if (named === undefined) return [{ what: 'builder', expected: builders.join(' or '), found }];
  const ref = found.slice(named.length + 1);
  const fitting = [...refs, ...pipelineRefs];
  const expected =
    fitting.length === 0 ? 'one that `version` or `release-branch` names' : fitting.join(' or ');
  return fitting.includes(ref) ? [] : [{ what: 'ref of the builder', expected, found: ref }];
}
