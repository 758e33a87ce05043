import { type Condition, no, notApplicable, pass } from '../condition.ts';

/** Cold: the run started on fresh volumes and reused no data. */
export const notCold: Condition = {
  code: 'not-cold',
  asks: 'Cold: the test reused no data',
  judge: ({ evidence }) => {
    if (evidence === undefined) return notApplicable('nothing was tested');
    return evidence.cold ? pass() : no('the run reused volumes or data');
  },
};
