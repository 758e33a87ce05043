import { Failure } from '../outcome.ts';
import type { Verification, VerifyRequest } from './verification.ts';

/**
 * Verifies an image: bundles → signature → identity → statement types → subject → (signer, builder) pair →
 * repository, ref and commit → labels → recipe. Never throws for what it finds: see `Verification.answer`.
 *
 * @throws Failure `policy-invalid` only; an outage is the answer `unreachable`.
 */
export async function verifyImage(_request: VerifyRequest): Promise<Verification> {
  throw new Failure('step-unavailable', 'Verifying is not there yet.');
}
