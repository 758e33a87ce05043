import { compareVersions, parseVersion } from '../../version.ts';
import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** Every place in the tree that states the version says what the tag says. */
export const labelTagMismatch: Condition = {
  code: 'label-tag-mismatch',
  asks: "The tree states the tag's version",
  judge: ({ stated, candidate }) =>
    judgeKnown(stated, (places) => {
      if (places.length === 0) return notApplicable('the tree states no version');
      const mine = parseVersion(candidate.version);
      const other = places.find(({ version }) => {
        const theirs = parseVersion(version);
        return mine === undefined || theirs === undefined
          ? version !== candidate.version
          : compareVersions(mine, theirs) !== 0;
      });
      return other === undefined
        ? pass(places.map(({ place }) => place).join(', '))
        : no(`${other.place} says ${other.version}, the release is ${candidate.version}`);
    }),
};
