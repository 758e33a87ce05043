import type { Dossier } from '../dossier/schema.ts';

/**
 * What a commit status says of a run: `success` only for a green test in a job that did not fail, `failure` only for a
 * red one. Everything else is `error`: no dossier, no test, an inconclusive one, a job that died after its test.
 * `jobResult` is the CI's word (`success`, `failure`, `cancelled`, `skipped`), absent where the CI has none.
 */
export function reportedState(
  dossier: Dossier | undefined,
  jobResult: string | undefined,
): 'success' | 'failure' | 'error' {
  const test = dossier?.test;
  if (test === undefined || !('verdict' in test)) return 'error';
  if (test.verdict === 'green')
    return jobResult === undefined || jobResult === 'success' ? 'success' : 'error';
  // A red test ends its job with a failure; a cancelled job may have cut the test short.
  if (test.verdict === 'red') return jobResult === 'cancelled' ? 'error' : 'failure';
  return 'error';
}
