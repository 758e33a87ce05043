import { compareVersions, parseVersion } from '../../version.ts';
import { type Condition, judgeKnown, no, pass } from '../condition.ts';

/** Latest: the highest stable release among this recipe's releases, as the remote has them. */
export const notLatest: Condition = {
  code: 'not-latest',
  asks: 'Latest: no stable release is newer',
  judge: ({ releases, candidate }) =>
    judgeKnown(releases, ({ latest }) => {
      const mine = parseVersion(candidate.version);
      if (mine === undefined) return no(`${candidate.version} is not a version`);
      if (mine.prerelease.length > 0)
        return no(`${candidate.version} is a prerelease`, 'Release a stable version.');
      const highest = latest === undefined ? undefined : parseVersion(latest.version);
      if (latest === undefined || highest === undefined) return no('there is no stable release');
      return compareVersions(mine, highest) === 0
        ? pass(latest.version)
        : no(`${latest.version} is the highest stable release`);
    }),
};
