import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** SLSA provenance, https://slsa.dev/spec/v1.0/provenance. */
const provenance = 'https://slsa.dev/provenance/v1';

/** A policy identity signed what is required. Strangers' bundles neither help nor harm. */
export const signatureMissing: Condition = {
  code: 'signature-missing',
  asks: 'The signatures that are required are there',
  judge: ({ images, policy, verification }) => {
    if (!policy.signature && !policy.provenance) return notApplicable('no signature is required');
    if (images.length === 0) return notApplicable('the recipe has no own image');
    return judgeKnown(verification, (found) => {
      if (!found.asked) return no('no policy says whose signature counts', 'Set `policy`.');
      const strangers = found.strangers === 0 ? '' : `; ${found.strangers} by others`;
      if (found.signed.length === 0) return no(`no identity of the policy signed it${strangers}`);
      if (policy.provenance && !found.signed.includes(provenance))
        return no(`no signed provenance${strangers}`);
      return pass(found.signed.join(', '));
    });
  },
};
