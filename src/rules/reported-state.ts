/**
 * What a commit status says of a run: `success` only for a green test in a job that did not fail, `failure` only for a
 * red one. Everything else is `error`: no dossier, no test, an inconclusive one, a job that died after its test.
 * `verdict` is the test's word as the dossier has it, `jobResult` the CI's (`success`, `failure`, `cancelled`,
 * `skipped`), absent where the CI has none.
 */
export function reportedState(
  verdict: string | undefined,
  jobResult: string | undefined,
): 'success' | 'failure' | 'error' {
  if (verdict === 'green') return jobResult === undefined || jobResult === 'success' ? 'success' : 'error';
  // A red test ends its job with a failure; a cancelled job may have cut the test short.
  if (verdict === 'red') return jobResult === undefined || jobResult === 'failure' ? 'failure' : 'error';
  return 'error';
}
