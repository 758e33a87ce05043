import type { Evidence } from './snapshot.ts';

/** A test result that somebody of the policy signed; `evidence`: the whole of it, where it can be read. */
export interface SignedResult {
  readonly result: 'PASSED' | 'WARNED' | 'FAILED';
  readonly evidence: Evidence | undefined;
  readonly by: string;
}

/** Evidence on the word of a signer. */
export interface SignedTest {
  readonly evidence: Evidence;
  readonly by: string;
}

/**
 * The last word among signed tests of one image. One that cannot be read says nothing where it passed; where it
 * failed, or says two things, nobody knows whether it was the last word: then there is none (`undecided`).
 */
export function newestTest(
  results: readonly SignedResult[],
): { readonly newest: SignedTest | undefined } | { readonly undecided: string } {
  const tests: SignedTest[] = [];
  for (const { result, evidence, by } of results) {
    if (evidence === undefined) {
      if (result === 'FAILED')
        return { undecided: `${by} signed a failed test that does not say when it was` };
      continue;
    }
    if ((result === 'PASSED') !== (evidence.verdict === 'green')) {
      return { undecided: `${by} signed a test that is ${result} and ${evidence.verdict} at once` };
    }
    if (Number.isNaN(Date.parse(evidence.finishedAt))) {
      return { undecided: `${by} signed a test that ended at no time` };
    }
    tests.push({ evidence, by });
  }
  const at = ({ evidence }: SignedTest): number => Date.parse(evidence.finishedAt);
  return { newest: tests.sort((a, b) => at(b) - at(a))[0] };
}
