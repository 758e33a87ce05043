import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** The digest to be tagged is in the registry. */
export const sourceMissing: Condition = {
  code: 'source-missing',
  asks: 'The digest is in the registry',
  judge: ({ images }) => {
    if (images.length === 0) return notApplicable('the recipe has no own image');
    for (const { image, digest, content } of images) {
      if (digest === undefined) {
        return no(
          `${image} was tested, and not pushed`,
          'Run build-push where it pushes: on the release tag.',
        );
      }
      const answer = judgeKnown(content, (found) =>
        found === undefined ? no(`${image}@${digest} is not in the registry`) : pass(),
      );
      if (answer.verdict !== 'pass') return answer;
    }
    return pass();
  },
};
