import { type Condition, judgeKnown, no, pass, short } from '../condition.ts';

/** The tested tree is the tag's tree, and nothing in the checkout differs from it. */
export const treeDirty: Condition = {
  code: 'tree-dirty',
  asks: "The tree is the tag's, with no change",
  judge: ({ releases, candidate, evidence }) => {
    if (candidate.dirty.length > 0) {
      const more = candidate.dirty.length > 5 ? ` and ${candidate.dirty.length - 5} more` : '';
      return no(`changed: ${candidate.dirty.slice(0, 5).join(', ')}${more}`);
    }
    return judgeKnown(releases, ({ tag }) => {
      const wanted = tag?.tree ?? candidate.tree;
      const other = [candidate.tree, evidence?.tree].find((tree) => tree !== undefined && tree !== wanted);
      return other === undefined
        ? pass(short(wanted))
        : no(`the tree ${short(other)} is not ${short(wanted)}`);
    });
  },
};
