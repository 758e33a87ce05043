import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** The image has every platform that is required. */
export const platformMissing: Condition = {
  code: 'platform-missing',
  asks: 'The image has the required platforms',
  judge: ({ images, policy }) => {
    if (policy.platforms.length === 0) return notApplicable('no platform is required');
    if (images.length === 0) return notApplicable('the recipe has no own image');
    for (const { image, content } of images) {
      const answer = judgeKnown(content, (found) => {
        const missing = policy.platforms.filter((platform) => !(found?.platforms ?? []).includes(platform));
        return missing.length === 0 ? pass() : no(`${image} has no ${missing.join(', ')}`);
      });
      if (answer.verdict !== 'pass') return answer;
    }
    return pass(policy.platforms.join(', '));
  },
};
