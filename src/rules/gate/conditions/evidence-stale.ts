import { type Condition, notApplicable, notYet, pass } from '../condition.ts';

/** The evidence is not older than `max-evidence-age`, and not from the future. */
export const evidenceStale: Condition = {
  code: 'evidence-stale',
  asks: 'The test is recent enough',
  judge: ({ evidence, policy, now }) => {
    if (evidence === undefined) return notApplicable('there is no evidence');
    const age = now - Date.parse(evidence.finishedAt);
    if (!Number.isFinite(age)) return notYet('the test does not say when it ended');
    // Two clocks are never quite the same; a day ahead is no clock's doing.
    if (age < -24 * 60 * 60_000) return notYet(`the test says that it ended ${evidence.finishedAt}`);
    return age <= policy.maxEvidenceAgeMs
      ? pass(evidence.finishedAt)
      : notYet(`the test ended ${evidence.finishedAt}`);
  },
};
