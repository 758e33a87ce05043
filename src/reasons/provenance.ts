import { failure, good, note, refusal, skip } from './reason.ts';

/** Codes of `attest` and `verify`. */
export const provenance = {
  signed: good('The statement is signed and attached.'),
  unsigned: good(
    'The statement is written, but not signed.',
    'Set `signing: key` and `signing-key` to sign it.',
  ),
  verified: good('Everything that the policy asks for holds.'),
  'not-built-here': skip(
    'This run did not make the image, so it signs nothing about how it was made.',
    'Nothing to do; the run that made it has signed for it, or the ledger names it.',
  ),
  'not-a-ci-run': skip(
    'A statement names the CI run that made it; here is none, or one that does not say what it is.',
    'Nothing to do here; a job of GitHub Actions, Drone or Woodpecker attests.',
  ),
  'no-test-result': skip(
    'The test was inconclusive, and a test result knows passed and failed only.',
    'Run the test again.',
  ),
  'run-facts-missing': failure(
    'The CI system does not say what a statement must name.',
    'Run attest in a job of GitHub Actions, Drone or Woodpecker.',
  ),
  'attach-contended': failure(
    'Others kept rewriting the list of attestations, or it does not take ours.',
    'Attest one image in one job at a time, then run attest again.',
  ),
  'signing-key-invalid': failure(
    'The signing key cannot be used.',
    'Use a PKCS#8 PEM key, P-256 or Ed25519.',
  ),
  'policy-invalid': failure(
    'The policy is not valid.',
    'Use exact strings; a policy that is a pattern proves nothing.',
  ),
  'attestation-missing': refusal(
    'An attestation that should be there is not.',
    'Run attest in the job that builds the image, or ask whoever publishes it.',
  ),
  'attestation-invalid': refusal('An attestation is there and is not valid.', 'Find out who wrote it.'),
  'attestation-odd': note(
    'Something unsigned around a good attestation is not as it should be; nothing rests on it.',
    'Find out who wrote it.',
  ),
  'labels-inherited': refusal(
    'The labels are those of the base image.',
    'Build with knowngood, or set the labels.',
  ),
  'labels-disagree': refusal(
    'The labels of the image contradict themselves or what was signed.',
    'Believe the signed statement; find out who wrote the labels.',
  ),
} as const;
