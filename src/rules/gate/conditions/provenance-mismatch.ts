import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** Nothing that a policy identity signed contradicts this release, whether provenance is required or not. */
export const provenanceMismatch: Condition = {
  code: 'provenance-mismatch',
  asks: 'Nothing signed contradicts the release',
  judge: ({ images, verification }) => {
    if (images.length === 0) return notApplicable('the recipe has no own image');
    return judgeKnown(verification, (found) => {
      if (!found.asked) return notApplicable('no policy is set');
      return found.contradictions.length === 0 ? pass() : no(found.contradictions.join('; '));
    });
  },
};
