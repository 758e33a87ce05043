import { compareVersions, parseVersion } from '../../version.ts';
import { type Condition, judgeKnown, no, pass } from '../condition.ts';

/** Newer than the canonical; the canonical itself may be published again, which only puts its tags right. */
export const wouldDemote: Condition = {
  code: 'would-demote',
  asks: 'Newer than the canonical',
  judge: ({ ledger, candidate, images }) =>
    judgeKnown(ledger, ({ record }) => {
      if (record === undefined) return pass('nothing was promoted before');
      const itself =
        record.version === candidate.version &&
        record.commit === candidate.commit &&
        images.every(({ image, digest }) => record.images[image] === digest);
      if (itself) return pass(`${record.version} is the canonical`);
      const [mine, theirs] = [parseVersion(candidate.version), parseVersion(record.version)];
      if (mine === undefined || theirs === undefined) {
        return no(`${candidate.version} and the canonical ${record.version} cannot be ordered`);
      }
      return compareVersions(mine, theirs) > 0
        ? pass(`the canonical is ${record.version}`)
        : no(`the canonical is ${record.version}, and ${candidate.version} is not newer`);
    }),
};
