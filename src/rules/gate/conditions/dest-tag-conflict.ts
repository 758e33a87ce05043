import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** The exact version's tag is free, or on the same content: a released tag never moves. */
export const destTagConflict: Condition = {
  code: 'dest-tag-conflict',
  asks: "The version's tag is free, or has the same content",
  judge: ({ images }) => {
    if (images.length === 0) return notApplicable('the recipe has no own image');
    for (const { image, digest, destination } of images) {
      const answer = judgeKnown(destination, ({ tag, current, sameContent }) => {
        if (current === undefined || current === digest || sameContent) return pass();
        return no(`${image}:${tag} is on ${current}`);
      });
      if (answer.verdict !== 'pass') return answer;
    }
    return pass();
  },
};
