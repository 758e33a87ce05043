import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** Repository and image are those that the recipe's name was first promoted with. */
export const recipeOwnerMismatch: Condition = {
  code: 'recipe-owner-mismatch',
  judge: ({ ledger, repository, images }) =>
    judgeKnown(ledger, ({ record }) => {
      if (record === undefined) return notApplicable('the first promotion binds the name');
      if (record.repository !== undefined && record.repository !== repository) {
        return no(`the name belongs to ${record.repository}, and this is ${repository}`);
      }
      const theirs = Object.keys(record.images).sort().join(', ');
      const mine = images
        .map(({ image }) => image)
        .sort()
        .join(', ');
      return theirs === mine
        ? pass()
        : no(`the name belongs to the image ${theirs || '(none)'}, and this is ${mine || '(none)'}`);
    }),
};
