import { type Condition, judgeKnown, no, pass } from '../condition.ts';

/** Enrolled: the recipe's own file says so, and in a sweep the fleet lists it. */
export const notEnrolled: Condition = {
  code: 'not-enrolled',
  asks: 'Enrolled: the release branch says so',
  judge: ({ config }) =>
    judgeKnown(config, ({ enrolled, enrolledBy }) =>
      enrolled ? pass() : no(`${enrolledBy} says \`enrolled: false\``),
    ),
};
