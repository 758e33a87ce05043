import { type Condition, judgeKnown, notYet, pass } from '../condition.ts';

/** No other run is promoting this recipe at the moment. */
export const concurrentPromotion: Condition = {
  code: 'concurrent-promotion',
  asks: 'No other run is promoting the recipe',
  judge: ({ ledger }) =>
    judgeKnown(ledger, ({ underWay }) =>
      underWay === undefined
        ? pass()
        : notYet(`the run ${underWay.run} is promoting ${underWay.version}`, Date.parse(underWay.expires)),
    ),
};
