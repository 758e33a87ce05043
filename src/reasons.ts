import { build } from './reasons/build.ts';
import { comment } from './reasons/comment.ts';
import { drift } from './reasons/drift.ts';
import { fleet } from './reasons/fleet.ts';
import { gate } from './reasons/gate.ts';
import { provenance } from './reasons/provenance.ts';
import type { Reason } from './reasons/reason.ts';
import { running } from './reasons/running.ts';
import { testing } from './reasons/testing.ts';
import { upgrade } from './reasons/upgrade.ts';

/** Every reason code, once. Documentation and SARIF rules are generated from this table. */
export const reasons = {
  ...running,
  ...build,
  ...upgrade,
  ...testing,
  ...gate,
  ...provenance,
  ...drift,
  ...comment,
  ...fleet,
} as const satisfies Record<string, Reason>;

export type ReasonCode = keyof typeof reasons;

/** Whether something that was read is one of our codes. */
export function isReasonCode(value: unknown): value is ReasonCode {
  return typeof value === 'string' && Object.hasOwn(reasons, value);
}

export type { Reason, ReasonClass } from './reasons/reason.ts';
