import { isDigest } from '../../oci/digest.ts';
import { parseReference, repositoryName, withDigest, withTag } from '../../oci/reference.ts';
import { Failure } from '../../outcome.ts';
import { newestTest, type SignedTest } from '../../rules/gate/newest-test.ts';
import type { StepInput } from '../step.ts';
import { releaseRefs } from './look-tools.ts';

/**
 * The newest test result that a signer of the policy signed about the image that is staged for this commit: of a
 * release that was tested in an earlier run, and waited for its age or for somebody's consent. Which image that is
 * may be said by anybody, for the signature names its digest, and the gate compares all else. `undefined`: there is
 * no policy, no own image, or no such test.
 *
 * @throws Failure of a look-up that was not answered, and `evidence-unbound` where what is signed contradicts
 */
export async function signedTest(input: StepInput): Promise<SignedTest | undefined> {
  const { tools, candidate, dossier } = input;
  const policy = await tools.reviewedPolicy();
  if (policy === undefined || candidate.subject.kind !== 'image') return undefined;
  const image = parseReference(repositoryName(parseReference(candidate.subject.image)));
  const registry = await tools.registry();
  const made = dossier.image !== undefined && 'image' in dossier.image ? dossier.image.digest : undefined;
  const digest =
    made ?? (await registry.head(withTag(image, `sha-${candidate.commit.slice(0, 12)}`)))?.digest;
  if (digest === undefined || !isDigest(digest)) return undefined;
  const { verifyImage, predicateTypes } = await tools.verifying();
  const { failure, statements, findings, answer } = await verifyImage({
    registry,
    image: withDigest(image, digest),
    policy: { ...policy, predicates: [predicateTypes.testResult] },
    expected: {
      anyResult: true,
      commit: candidate.commit,
      ...(await releaseRefs(tools.projectNow, candidate.commit)),
    },
  });
  if (failure !== undefined) throw failure;
  if (answer === 'bad') {
    const why = findings.filter(({ level }) => level === 'error').map(({ message }) => message);
    throw new Failure('evidence-unbound', `The signed test result does not hold: ${why.join(' ')}`);
  }
  const { readEvidence } = await tools.promotion();
  const last = newestTest(
    statements.flatMap(({ test, signer }) =>
      test === undefined ? [] : [{ result: test.result, evidence: readEvidence(test.details), by: signer }],
    ),
  );
  if ('undecided' in last) {
    throw new Failure('evidence-unbound', `The signed tests decide nothing: ${last.undecided}.`, {
      remedy: 'Run the step `test` in this run.',
    });
  }
  return last.newest;
}
