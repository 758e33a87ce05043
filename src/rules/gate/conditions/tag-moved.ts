import { compareVersions, parseVersion } from '../../version.ts';
import { type Condition, judgeKnown, no, pass, short } from '../condition.ts';

/** No test and no promotion ever saw this version on another commit. */
export const tagMoved: Condition = {
  code: 'tag-moved',
  asks: 'The tag has not moved since it was first seen',
  judge: ({ ledger, candidate }) =>
    judgeKnown(ledger, ({ sightings }) => {
      const mine = parseVersion(candidate.version);
      const other = sightings.find(({ version, commit }) => {
        const theirs = parseVersion(version);
        const same =
          mine === undefined || theirs === undefined
            ? version === candidate.version
            : compareVersions(mine, theirs) === 0;
        return same && commit !== candidate.commit;
      });
      return other === undefined
        ? pass()
        : no(
            `${other.version} was seen on ${short(other.commit)} at ${other.seen}, and is on ${short(candidate.commit)} now`,
          );
    }),
};
