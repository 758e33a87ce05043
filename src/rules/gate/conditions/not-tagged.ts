import { type Condition, judgeKnown, no, pass } from '../condition.ts';

/** Tagged: exactly a release tag, and as the remote has it, since a local tag is nobody's release. */
export const notTagged: Condition = {
  code: 'not-tagged',
  asks: 'Tagged: the remote has the release tag',
  judge: ({ releases, candidate }) =>
    judgeKnown(releases, ({ tag }) =>
      tag === undefined ? no(`the remote has no release tag for ${candidate.version}`) : pass(tag.name),
    ),
};
