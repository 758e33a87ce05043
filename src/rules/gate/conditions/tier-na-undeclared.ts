import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** There was nothing to upgrade from: true of every first release, so nobody has to declare it. */
const selfEvident: readonly string[] = ['first-release', 'no-release'];

/**
 * A tier that was not applicable counts only for a reason that is self-evident, or that the release branch declares
 * for this very version: that reviewed commit is the approval.
 */
export const tierNaUndeclared: Condition = {
  code: 'tier-na-undeclared',
  judge: ({ evidence, config, candidate }) => {
    const left = (evidence?.tiers ?? []).filter(({ verdict }) => verdict === 'na');
    if (left.length === 0) return notApplicable('every tier applied');
    return judgeKnown(config, ({ tiers, expectedNa }) => {
      const undeclared = left.filter(
        ({ name, reason }) =>
          tiers.includes(name) &&
          !Object.hasOwn(expectedNa, name) &&
          !(name === 'upgrade' && selfEvident.includes(reason ?? '')),
      );
      if (undeclared.length === 0)
        return pass(left.map(({ name, reason }) => `${name}: ${reason ?? 'na'}`).join(', '));
      const [first] = undeclared;
      return no(
        undeclared.map(({ name, reason }) => `${name}: ${reason ?? 'no reason given'}`).join(', '),
        `If that is right, add to knowngood.yml on the release branch: expected-na: { ${first?.name}: { reason: "…", versions: "${candidate.version}" } }`,
      );
    });
  },
};
