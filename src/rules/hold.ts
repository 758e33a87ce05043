import { compareVersions, parseVersion } from './version.ts';

/** The canonical and its hold, as far as this rule looks at them. */
export interface HeldFacts {
  readonly version: string;
  readonly hold: { readonly bad: readonly string[]; readonly until: 'newer' | 'manual' } | null;
}

/**
 * Whether this version must not be promoted: it is one of the bad ones, in whatever spelling; with `until: manual`
 * also whatever is newer than the canonical, until somebody lifts the hold.
 */
export function isHeld({ version: canonical, hold }: HeldFacts, version: string): boolean {
  if (hold === null) return false;
  if (hold.bad.some((bad) => isSame(bad, version))) return true;
  return hold.until === 'manual' && isNewer(version, canonical);
}

function isSame(a: string, b: string): boolean {
  const [x, y] = [parseVersion(a), parseVersion(b)];
  return x === undefined || y === undefined ? a === b : compareVersions(x, y) === 0;
}

function isNewer(a: string, b: string): boolean {
  const [x, y] = [parseVersion(a), parseVersion(b)];
  // What has no order could be newer; a hold errs on the side of holding.
  return x === undefined || y === undefined ? a !== b : compareVersions(x, y) > 0;
}
