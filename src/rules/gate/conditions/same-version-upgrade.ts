import { compareVersions, parseVersion } from '../../version.ts';
import { type Condition, judgeKnown, no, notApplicable, pass, short } from '../condition.ts';

/** The upgrade tier started from a real release that is older than the candidate. */
export const sameVersionUpgrade: Condition = {
  code: 'same-version-upgrade',
  asks: 'The upgrade began at an older release',
  judge: ({ evidence, candidate, releases }) => {
    if (evidence?.tiers.find(({ name }) => name === 'upgrade')?.verdict !== 'pass') {
      return notApplicable('the upgrade tier did not pass');
    }
    const { base } = evidence;
    if (base === undefined) return no('the test does not say what it upgraded from');
    if (base.commit === candidate.commit) return no(`${base.version} is the candidate's own commit`);
    const [mine, theirs] = [parseVersion(candidate.version), parseVersion(base.version)];
    if (mine !== undefined && theirs !== undefined && compareVersions(theirs, mine) >= 0) {
      return no(`${base.version} is not older than ${candidate.version}`);
    }
    return judgeKnown(releases, (found) => {
      if (found.base === undefined) return no(`${base.version} is not a release`);
      return found.base.commit === base.commit
        ? pass(base.version)
        : no(`${base.version} is on ${short(found.base.commit)}, and ${short(base.commit)} was installed`);
    });
  },
};
