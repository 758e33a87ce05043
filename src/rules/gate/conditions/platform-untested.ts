import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** With `require: all-platforms`, every platform of the image was tested, and the required ones besides. */
export const platformUntested: Condition = {
  code: 'platform-untested',
  asks: 'All platforms were tested, if required',
  judge: ({ images, policy, evidence }) => {
    if (!policy.allPlatforms) return notApplicable('tests on all platforms are not required');
    if (images.length === 0) return notApplicable('the recipe has no own image');
    for (const { content } of images) {
      const answer = judgeKnown(content, (found) => {
        const wanted = [...new Set([...(found?.platforms ?? []), ...policy.platforms])];
        const untested = wanted.filter((platform) => !(evidence?.testedPlatforms ?? []).includes(platform));
        return untested.length === 0 ? pass() : no(`not tested on ${untested.join(', ')}`);
      });
      if (answer.verdict !== 'pass') return answer;
    }
    return pass();
  },
};
