import type { Condition } from '../condition.ts';
import { pass } from '../condition.ts';
import type { Known } from '../snapshot.ts';

/** Every look-up was answered. One that was not is named; it is never taken for a "no" or a "not there". */
export const cannotDetermine: Condition = {
  code: 'cannot-determine',
  asks: 'Every look-up was answered',
  judge: ({ config, releases, stated, ledger, verification, floating, images }) => {
    const lookups: readonly Known<unknown>[] = [
      config,
      releases,
      stated,
      ledger,
      verification,
      floating,
      ...images.flatMap(({ content, destination }) => [content, destination]),
    ];
    const open = lookups.flatMap((lookup) => ('unanswered' in lookup ? [lookup.unanswered] : []));
    return open.length === 0 ? pass() : { verdict: 'unknown', found: [...new Set(open)].join('; ') };
  },
};
