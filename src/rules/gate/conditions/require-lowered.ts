import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** Asks for no less than the promotion before: whoever edits a pipeline must say that they lower the bar. */
export const requireLowered: Condition = {
  code: 'require-lowered',
  asks: 'No less is required than for the canonical',
  judge: ({ ledger, policy }) =>
    judgeKnown(ledger, ({ record }) => {
      if (record === undefined) return notApplicable('nothing was promoted before');
      const { required } = record;
      const lowered = [
        ...(required.signature && !policy.signature ? ['signature'] : []),
        ...(required.provenance && !policy.provenance ? ['provenance'] : []),
        ...(required.allPlatforms && !policy.allPlatforms ? ['all-platforms'] : []),
        ...(required.platforms ?? []).filter((platform) => !policy.platforms.includes(platform)),
        ...((required.minAgeSeconds ?? 0) * 1000 > policy.minAgeMs ? ['min-age'] : []),
      ];
      if (lowered.length === 0) return pass();
      const found = `no longer required: ${lowered.join(', ')}`;
      return policy.accepted.includes('require-lowered')
        ? pass(`${found} (accepted)`)
        : no(found, 'Require it again, or add `require-lowered` to `require` once.');
    }),
};
