import { type ReasonCode, reasons } from '../../reasons.ts';

/** The checks, in the order in which they are told. */
export const checkNames = [
  'release',
  'canonical',
  'floating',
  'version',
  'pins',
  'base',
  'recipe',
  'running',
  'attestation',
  'mirror',
] as const;

export type CheckName = (typeof checkNames)[number];

/**
 * What refuses where nobody says otherwise: contradictions, not delays, so that the first daily run in a repository
 * is not red for a month.
 */
export const contradictions: readonly ReasonCode[] = [
  'digest-drift',
  'canonical-tag-moved',
  'recipe-differs',
  'floating-wrong',
  'version-disagrees',
  'attestation-invalid',
  'record-corrupt',
  'mirror-diverged',
];

/**
 * Codes that a drift check can find: what `fail-on` may name. `cannot-determine` is not among them: it is an error,
 * whatever anybody asks for.
 */
export const driftCodes: readonly ReasonCode[] = [
  ...(Object.keys(reasons) as ReasonCode[]).filter((code) => reasons[code].class === 'drift'),
  'canonical-tag-moved',
  'canonical-orphaned',
  'canonical-ahead',
  'record-corrupt',
  'attestation-missing',
  'attestation-invalid',
  'pin-redundant',
  'pin-stale',
  'pin-not-a-release',
  'pin-newer-than-target',
  'pin-known-broken',
  'known-broken-unused',
  'untagged-ahead',
  'hold-active',
  'pin-unknown-host',
  'pin-unreadable',
  'running-unlabelled',
];

export function isCheckName(text: string): text is CheckName {
  return (checkNames as readonly string[]).includes(text);
}
