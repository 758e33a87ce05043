import { type Condition, no, notApplicable, pass } from '../condition.ts';

/** Recipe commands ran contained, or were the release branch's: others could have written their own evidence. */
export const evidenceUntrusted: Condition = {
  code: 'evidence-untrusted',
  asks: "Commands ran contained, or were the release branch's",
  judge: ({ evidence }) => {
    if (evidence === undefined) return notApplicable('there is no evidence');
    return evidence.commands === 'untrusted-host'
      ? no('commands of the candidate ran on the host')
      : pass(evidence.commands);
  },
};
