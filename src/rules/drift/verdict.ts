import type { Finding, Outcome } from '../../outcome.ts';
import { type ReasonCode, reasons } from '../../reasons.ts';

export interface DriftVerdict extends Outcome {
  readonly verdict: 'clean' | 'drift' | 'error';
  /** The findings that say that something is older than it should be. */
  readonly behind: number;
  /** The findings that `fail-on` names. */
  readonly failing: readonly Finding[];
}

/**
 * Whether a finding leaves a question open, which makes the verdict `error`: a look-up without an answer, or an answer
 * that cannot be believed. A damaged record is no open question: it is there, and it is damaged. Nor is a warning that
 * another step would fail.
 */
export function isOpen({ code, level }: Pick<Finding, 'code' | 'level'>): boolean {
  return level === 'error' && reasons[code].class === 'failure' && code !== 'record-corrupt';
}

/** `error` before `drift` before `clean`: with an open question nothing is known to be clean. */
export function driftVerdict(findings: readonly Finding[], failOn: readonly ReasonCode[]): DriftVerdict {
  const failing = findings.filter(({ code }) => failOn.includes(code));
  const behind = findings.filter(({ code }) => code.endsWith('-behind')).length;
  const unknown = findings.filter(isOpen).map(({ code }) => code);
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
