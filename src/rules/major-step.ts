import { Failure } from '../outcome.ts';
import type { Release } from './releases.ts';
import { compareVersions, isPrerelease, type Version } from './version.ts';

/**
 * How many major versions lie between base and candidate, in digits; in 0.x, where every minor may break, how many
 * minors. `0` where both are of one major.
 */
export function majorStep(base: Version, target: Version): string {
  const step =
    base.major === '0' && target.major === '0'
      ? BigInt(target.minor) - BigInt(base.minor)
      : BigInt(target.major) - BigInt(base.major);
  return String(step < 0n ? -step : step);
}

/** The Failure `base-too-old` where the step is larger than `most`, with the newest release of each major between. */
export function tooFar(
  base: Release,
  target: Version,
  step: string,
  most: number,
  releases: readonly Release[],
): Failure | undefined {
  if (BigInt(step) <= BigInt(most)) return undefined;
  const seen = new Set<string>([lineOf(base.version), lineOf(target)]);
  const between: string[] = [];
  for (const { version, tag } of releases) {
    if (compareVersions(version, base.version) <= 0 || compareVersions(version, target) >= 0) continue;
    if (isPrerelease(version) || seen.has(lineOf(version))) continue;
    seen.add(lineOf(version));
    between.push(tag);
  }
  const kind = target.major === '0' ? 'minor versions of 0.x' : 'major versions';
  const names =
    between.length === 0
      ? 'there is no release between them'
      : `between them: ${between.reverse().join(', ')}`;
  return new Failure(
    'base-too-old',
    `From the base ${base.tag} to ${target.raw} it is ${step} ${kind}, more than ${most}; ${names}.`,
  );
}

function lineOf({ major, minor }: Version): string {
  return major === '0' ? `0.${minor}` : major;
}
