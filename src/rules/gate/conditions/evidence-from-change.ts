import { type Condition, no, notApplicable, pass } from '../condition.ts';

/** The run is of a release, and so was the test: what a pull request found never promotes. */
export const evidenceFromChange: Condition = {
  code: 'evidence-from-change',
  asks: 'The test was of a release',
  judge: ({ evidence, context }) => {
    if (context !== 'release') return no('this run is of a change');
    if (evidence === undefined) return notApplicable('there is no evidence');
    return evidence.context === 'release' ? pass() : no('the test was of a change');
  },
};
