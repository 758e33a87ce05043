import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** There was nothing to upgrade from: git says whether that is so, so nobody has to declare it. */
const selfEvident: readonly string[] = ['first-release', 'no-release'];

/**
 * A tier that was not applicable counts only for a reason that is self-evident, or that the release branch declares
 * for this very version: that reviewed commit is the approval.
 */
export const tierNaUndeclared: Condition = {
  code: 'tier-na-undeclared',
  asks: 'A tier that did not apply was declared so',
  judge: ({ evidence, config, releases, candidate }) => {
    const left = (evidence?.tiers ?? []).filter(({ verdict }) => verdict === 'na');
    if (left.length === 0) return notApplicable('every tier applied');
    return judgeKnown(config, ({ tiers, expectedNa }) => {
      const undeclared = left.filter(({ name }) => tiers.includes(name) && !Object.hasOwn(expectedNa, name));
      const evident = ({ name, reason }: (typeof left)[number]): boolean =>
        name === 'upgrade' && selfEvident.includes(reason ?? '');
      const [first] = undeclared.filter((tier) => !evident(tier));
      if (first !== undefined) {
        return no(
          `${first.name}: ${first.reason ?? 'no reason given'}`,
          `If that is right, add to knowngood.yml on the release branch: expected-na: { ${first.name}: { reason: "…", versions: "${candidate.version}" } }`,
        );
      }
      const said = left.map(({ name, reason }) => `${name}: ${reason ?? 'na'}`).join(', ');
      if (undeclared.length === 0) return pass(said);
      return judgeKnown(releases, ({ older }) =>
        older === 0
          ? pass(said)
          : no(`${said}, and there are ${older} older releases`, 'Run the upgrade tier.'),
      );
    });
  },
};
