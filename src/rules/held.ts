import { compareVersions, parseVersion, sameVersion, type Version } from './version.ts';

/** A hold as the canonical record has it. */
export interface HoldFacts {
  readonly bad: readonly string[];
  /** `newer`: only the bad versions are held. `manual`: also everything newer than the canonical. */
  readonly until: 'newer' | 'manual';
}

/** Whether this version must not become canonical for now. */
export function isHeld(
  version: Version,
  hold: HoldFacts | null | undefined,
  canonical: string | undefined,
): boolean {
  if (hold === null || hold === undefined) return false;
  const bad = hold.bad.some((text) => {
    const parsed = parseVersion(text);
    return parsed === undefined ? text === version.raw : sameVersion(parsed, version);
  });
  if (bad) return true;
  const known = canonical === undefined ? undefined : parseVersion(canonical);
  return hold.until === 'manual' && known !== undefined && compareVersions(version, known) > 0;
}
