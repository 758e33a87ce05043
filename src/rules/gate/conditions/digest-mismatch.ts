import { type Condition, judgeKnown, no, notApplicable, pass } from '../condition.ts';

/** The digest that was tested is the one to be tagged, and the image itself says that it is this release. */
export const digestMismatch: Condition = {
  code: 'digest-mismatch',
  asks: 'The tested digest is the one to be tagged, and names this release',
  judge: ({ images, evidence, candidate }) => {
    if (images.length === 0) return notApplicable('the recipe has no own image');
    for (const { image, digest, content, destination } of images) {
      if (digest === undefined) return notApplicable('the image was not pushed');
      const tested = Object.entries(evidence?.subject ?? {}).some(
        ([name, what]) => (name === image && what === digest) || what === `${image}@${digest}`,
      );
      if (evidence !== undefined && !tested) return no(`${image}@${digest} was not tested`);
      const released =
        'known' in destination && destination.known.sameContent ? destination.known.current : digest;
      if (released !== digest) {
        return no(
          `the released ${released} has the same content, and ${digest} was tested`,
          'Run build-push again: it takes over the digest that is there, which is then tested and promoted.',
        );
      }
      const answer = judgeKnown(content, (found) => {
        if (found === undefined) return notApplicable('the digest is not there');
        // An image from before knowngood may say no version, if its own version tag is on it.
        const adopted = 'known' in destination && destination.known.current === digest;
        for (const labels of found.labels) {
          const revision = labels['org.opencontainers.image.revision'];
          const version = labels['org.opencontainers.image.version'];
          if (revision !== candidate.commit)
            return no(`the image says that its commit is ${revision ?? 'unknown'}`);
          if (version === undefined ? !adopted : !isSpelling(version, candidate.version)) {
            return no(`the image says that its version is ${version ?? 'unknown'}`);
          }
        }
        return pass();
      });
      if (answer.verdict !== 'pass' && answer.verdict !== 'n/a') return answer;
    }
    return pass(images.flatMap(({ digest }) => digest ?? []).join(', '));
  },
};

/** Labels have no leading `v`. */
function isSpelling(label: string, version: string): boolean {
  return label === version || label === version.replace(/^v/, '');
}
