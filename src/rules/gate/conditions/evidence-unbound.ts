import { type Condition, no, pass, short } from '../condition.ts';

/** The evidence is of this CI run, and names recipe, version, commit, digest and harness. */
export const evidenceUnbound: Condition = {
  code: 'evidence-unbound',
  asks: 'The test is of this run, version, commit and digest',
  judge: ({ evidence, recipe, run, candidate, images }) => {
    if (evidence === undefined) return no('there is no evidence', 'Run the step `test` before `promote`.');
    if (evidence.run !== run) return no('the test was of another CI run');
    if (evidence.recipe !== recipe) return no(`the test was of the recipe ${evidence.recipe}`);
    if (evidence.version !== candidate.version) return no(`the test was of version ${evidence.version}`);
    if (evidence.commit !== candidate.commit) return no(`the test was of commit ${short(evidence.commit)}`);
    if (evidence.harness === '') return no('the test does not say which harness ran');
    const named = Object.values(evidence.subject);
    if (named.length === 0) return no('the test does not say what ran');
    if (images.length > 0 && !named.every((what) => what.includes('sha256:'))) {
      return no('the test does not name digests');
    }
    return pass(evidence.run);
  },
};
