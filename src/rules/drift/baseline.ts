import { isObject, numberOf } from '../../untrusted/fields.ts';

/**
 * What drift has seen before, `drift.json` of the ledger. The first sight of something is no drift: it is what later
 * sights are compared with.
 */
export interface Baseline {
  readonly schema: 'knowngood/drift/v1';
  /** When each release tag was first seen, milliseconds since 1970. */
  readonly releases: Readonly<Record<string, number>>;
}

const empty: Baseline = { schema: 'knowngood/drift/v1', releases: {} };

/** Reads a baseline; one of another form is none: it is a memory, and forgetting costs a delay only. */
export function readBaseline(value: unknown): Baseline {
  if (!isObject(value) || value.schema !== empty.schema || !isObject(value.releases)) return empty;
  const releases = Object.entries(value.releases).flatMap(([tag, seen]) => {
    const time = numberOf(seen);
    return time === undefined ? [] : [[tag, time] as const];
  });
  return { ...empty, releases: Object.fromEntries(releases) };
}

/** The baseline after these releases were seen. Tags that are gone are forgotten. */
export function nextBaseline(before: Baseline, tags: readonly string[], now: number): Baseline {
  const releases = [...tags].sort().map((tag) => {
    const seen = Object.hasOwn(before.releases, tag) ? before.releases[tag]! : now;
    return [tag, Math.min(seen, now)] as const;
  });
  return { ...empty, releases: Object.fromEntries(releases) };
}
