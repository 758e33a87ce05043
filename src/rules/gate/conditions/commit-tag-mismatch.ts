import { type Condition, judgeKnown, no, notApplicable, pass, short } from '../condition.ts';

/** The commit under test, and the one that was tested, is the tag's commit, peeled. */
export const commitTagMismatch: Condition = {
  code: 'commit-tag-mismatch',
  asks: "The tested commit is the tag's",
  judge: ({ releases, candidate, evidence }) =>
    judgeKnown(releases, ({ tag }) => {
      if (tag === undefined) return notApplicable('there is no tag');
      const other = [candidate.commit, candidate.checkout, evidence?.commit, evidence?.checkout].find(
        (commit) => commit !== undefined && commit !== tag.commit,
      );
      return other === undefined
        ? pass(short(tag.commit))
        : no(`${short(other)} is under test, the tag ${tag.name} is on ${short(tag.commit)}`);
    }),
};
