import { isHeld } from '../../hold.ts';
import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** No hold on this version: what somebody rolled back stays rolled back. */
export const held: Condition = {
  code: 'held',
  asks: 'Nobody holds the version',
  judge: ({ ledger, candidate }) =>
    judgeKnown(ledger, ({ record }) => {
      if (!record?.hold) return notApplicable('nothing is held');
      return isHeld(record, candidate.version)
        ? no(
            `held until ${record.hold.until === 'newer' ? 'a newer version' : 'it is lifted'}: ${record.hold.reason}`,
          )
        : pass(`held: ${record.hold.bad.join(', ')}`);
    }),
};
