import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** No bundle in the name of a policy identity is broken, whether signatures are required or not. */
export const signatureInvalid: Condition = {
  code: 'signature-invalid',
  asks: 'No trusted signature is broken',
  judge: ({ images, verification }) => {
    if (images.length === 0) return notApplicable('the recipe has no own image');
    return judgeKnown(verification, (found) => {
      if (!found.asked) return notApplicable('no policy is set');
      return found.invalid.length === 0 ? pass() : no(found.invalid.join('; '));
    });
  },
};
