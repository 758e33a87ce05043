import Range from 'semver/classes/range.js';
import { compareRecipeVersions, compareVersions, parseVersion, type Version } from './version.ts';

/**
 * A test for a range of versions (`>=3.1.0 <4`, `^3.1`, `3.x || 5.x`), or for exactly one version, build included
 * (`3.0.1+v2.0.0`). The range is npm semver's; the comparing is ours, because recipe versions are unbounded.
 * Builds are ignored in ranges. `undefined` where the text is no range.
 */
export function parseRange(text: string): ((version: Version) => boolean) | undefined {
  const exact = parseVersion(text.trim());
  if (exact?.build !== undefined) return (version) => compareVersions(version, exact) === 0;
  let range: Range;
  try {
    range = new Range(text, { includePrerelease: true });
  } catch {
    return undefined;
  }
  const sets = range.set.map((comparators) =>
    comparators.map(({ operator, semver }) => ({ operator, limit: parseVersion(semver.version ?? '') })),
  );
  return (version) =>
    sets.some((comparators) =>
      comparators.every(({ operator, limit }) => {
        // `*` compares with nothing.
        if (limit === undefined) return true;
        const order = compareRecipeVersions(version, limit);
        if (operator === '>=') return order >= 0;
        if (operator === '<=') return order <= 0;
        if (operator === '>') return order > 0;
        if (operator === '<') return order < 0;
        return order === 0;
      }),
    );
}
