import { type Condition, judgeKnown, no, notApplicable, pass, short } from '../condition.ts';

/** No later test of the same commit failed: the last word counts, not the best one. */
export const evidenceSuperseded: Condition = {
  code: 'evidence-superseded',
  asks: 'No later test of the commit failed',
  judge: ({ evidence, ledger, candidate }) => {
    if (evidence === undefined) return notApplicable('there is no evidence');
    return judgeKnown(ledger, ({ sightings }) => {
      const failed = sightings.find(
        ({ commit, verdict, finishedAt }) =>
          commit === candidate.commit &&
          verdict === 'red' &&
          finishedAt !== undefined &&
          Date.parse(finishedAt) > Date.parse(evidence.finishedAt),
      );
      return failed === undefined
        ? pass()
        : no(`the run ${failed.run ?? 'unknown'} of ${short(failed.commit)} failed at ${failed.finishedAt}`);
    });
  },
};
