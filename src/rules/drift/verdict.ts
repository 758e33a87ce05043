import type { Finding, Outcome } from '../../outcome.ts';
import type { ReasonCode } from '../../reasons.ts';

export interface DriftVerdict extends Outcome {
  readonly verdict: 'clean' | 'drift' | 'error';
  /** The findings that say that something is older than it should be. */
  readonly behind: number;
  /** The findings that `fail-on` names. */
  readonly failing: readonly Finding[];
}

/** Codes that make the verdict `error`: a question stayed open, or an answer cannot be believed. */
const openCodes: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'cannot-determine',
  'record-untrusted',
  'record-too-new',
  'intent-invalid',
]);

/** `error` before `drift` before `clean`: with an open question nothing is known to be clean. */
export function driftVerdict(findings: readonly Finding[], failOn: readonly ReasonCode[]): DriftVerdict {
  const failing = findings.filter(({ code }) => failOn.includes(code));
  const behind = findings.filter(({ code }) => code.endsWith('-behind')).length;
  const unknown = findings.filter(({ code }) => openCodes.has(code)).map(({ code }) => code);
  if (unknown.length > 0) {
    const reasons = [...new Set([...unknown, ...failing.map(({ code }) => code)])];
    return { verdict: 'error', outcome: 'error', reasons, behind, failing };
  }
  if (failing.length > 0) {
    const reasons = [...new Set(failing.map(({ code }) => code))];
    return { verdict: 'drift', outcome: 'refused', reasons, behind, failing };
  }
  return { verdict: 'clean', outcome: 'done', reasons: ['clean'], behind, failing };
}
