import { type Condition, judgeKnown, no, notApplicable, pass, short } from '../condition.ts';

/** The tag's commit is reachable from the release branch: only what was reviewed into it is released. */
export const commitNotOnBranch: Condition = {
  code: 'commit-not-on-branch',
  asks: 'The commit is on the release branch',
  judge: ({ releases }) =>
    judgeKnown(releases, ({ tag, onBranch, branch }) => {
      if (tag === undefined) return notApplicable('there is no tag');
      return onBranch ? pass(branch) : no(`${short(tag.commit)} is not on ${branch}`);
    }),
};
