import { type Condition, judgeKnown, no, pass } from '../condition.ts';

/** Green: every tier that the release branch requires passed, or is not applicable (judged on its own). */
export const notGreen: Condition = {
  code: 'not-green',
  asks: 'Green: every required tier passed',
  judge: ({ evidence, config }) => {
    if (evidence === undefined) return no('nothing was tested', 'Run the step `test` before `promote`.');
    if (evidence.verdict !== 'green') return no(`the test ended ${evidence.verdict}`);
    const bad = evidence.tiers.filter(({ verdict }) => verdict === 'fail' || verdict === 'inconclusive');
    if (bad.length > 0) return no(bad.map(({ name, verdict }) => `${name}: ${verdict}`).join(', '));
    return judgeKnown(config, ({ tiers }) => {
      const missing = tiers.filter((tier) => !evidence.tiers.some(({ name }) => name === tier));
      if (missing.length > 0) return no(`not run: ${missing.join(', ')}`);
      return evidence.tiers.some(({ verdict }) => verdict === 'pass')
        ? pass(evidence.tiers.map(({ name, verdict }) => `${name}: ${verdict}`).join(', '))
        : no('no tier passed');
    });
  },
};
