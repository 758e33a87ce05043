import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** Repository and image are those that the recipe's name was first promoted with. */
export const recipeOwnerMismatch: Condition = {
  code: 'recipe-owner-mismatch',
  asks: 'The recipe name belongs to this repository and image',
  judge: ({ ledger, repository, images, kind }) =>
    judgeKnown(ledger, ({ record }) => {
      if (record === undefined) return notApplicable('the first promotion binds the name');
      if (record.repository !== undefined && record.repository !== repository) {
        return no(`the name belongs to ${record.repository}, and this is ${repository}`);
      }
      // A compose application may gain and lose images; what binds its name is the repository.
      const theirs = record.kind === 'image' ? Object.keys(record.images).join(', ') : '';
      const mine = kind === 'image' ? images.map(({ image }) => image).join(', ') : '';
      return theirs === mine
        ? pass()
        : no(`the name belongs to ${subject(theirs)}, and this is ${subject(mine)}`);
    }),
};

function subject(image: string): string {
  return image === '' ? 'a compose application' : `the image ${image}`;
}
