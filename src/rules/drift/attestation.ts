import { type Finding, finding } from '../../outcome.ts';
import { type Known, open } from './looked-up.ts';

export interface AttestationFacts {
  readonly image: string;
  /** `missing`: what the policy asks for is not there. `bad`: something is there and contradicts. */
  readonly verified: Known<{
    readonly answer: 'verified' | 'missing' | 'bad';
    /** What was found, level `error` first of all: what made the answer. */
    readonly findings: readonly Finding[];
  }>;
}

/** The attestations of the known-good release are still there and still valid. */
export function checkAttestation({ image, verified }: AttestationFacts): Finding[] {
  if ('unanswered' in verified) return [open(`The attestations of ${image}`, verified)];
  const { answer, findings } = verified.known;
  if (answer === 'verified') return [];
  const why = findings.filter(({ level }) => level === 'error').map(({ message }) => message);
  const message = `${image}: ${why.length === 0 ? 'it does not verify.' : why.join(' ')}`;
  return answer === 'missing'
    ? [finding('attestation-missing', 'warning', message)]
    : [finding('attestation-invalid', 'error', message)];
}
