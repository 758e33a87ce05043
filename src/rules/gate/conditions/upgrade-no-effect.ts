import { type Condition, no, notApplicable, pass } from '../condition.ts';

/** The upgrade replaced something: after it the candidate ran, and not the base. */
export const upgradeNoEffect: Condition = {
  code: 'upgrade-no-effect',
  asks: 'The upgrade replaced what ran',
  judge: ({ evidence }) => {
    if (evidence?.tiers.find(({ name }) => name === 'upgrade')?.verdict !== 'pass') {
      return notApplicable('the upgrade tier did not pass');
    }
    return evidence.effect === true ? pass() : no('nothing shows that the upgrade changed what runs');
  },
};
