import { type Condition, judgeKnown, notApplicable, notYet, pass } from '../condition.ts';

/** First seen by a run of ours at least `min-age` ago; dates in git are whatever their author wrote. */
export const soaking: Condition = {
  code: 'soaking',
  asks: 'The release has been known for `min-age`',
  judge: ({ ledger, policy, candidate, evidence, now }) => {
    if (policy.minAgeMs <= 0) return notApplicable('no age is required');
    return judgeKnown(ledger, ({ sightings }) => {
      const seen = sightings
        .filter(({ version, commit }) => version === candidate.version && commit === candidate.commit)
        .map((sighting) => Date.parse(sighting.seen));
      const first = Math.min(...seen, Date.parse(evidence?.startedAt ?? '') || now);
      const eligibleAt = first + policy.minAgeMs;
      const since = new Date(first).toISOString();
      return now >= eligibleAt ? pass(`first seen ${since}`) : notYet(`first seen ${since}`, eligibleAt);
    });
  },
};
