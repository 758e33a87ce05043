import { at, isObject, textOf } from '../untrusted/fields.ts';

/** What the comment tells of a run. Every text is untrusted and as long as somebody made it. */
export interface ReportedDossier {
  readonly recipe: string;
  readonly version: string | undefined;
  readonly base: { readonly version: string | undefined; readonly reason: string | undefined } | undefined;
  readonly rejected: readonly { readonly tag: string; readonly reason: string }[];
  readonly test:
    | {
        readonly verdict: string;
        readonly reason: string | undefined;
        readonly tiers: readonly {
          readonly name: string;
          readonly verdict: string;
          readonly seconds: number | undefined;
          readonly reason: string | undefined;
        }[];
      }
    | undefined;
}

/** Rows of one table: a comment has 65,536 characters, and a dossier may have a million rows. */
const MOST_ROWS = 20;
const LONGEST_TEXT = 200;

/**
 * Reads a dossier as what it is here: a file that lay beside foreign code. Its frame alone was checked, so that every
 * field may be of any type; one that is not what it should be is left out, and nothing is believed to be short.
 */
export function reportedDossier(dossier: unknown): ReportedDossier {
  const base = at(dossier, 'upgradeBase');
  const test = at(dossier, 'test');
  const verdict = textOf(at(test, 'verdict'));
  return {
    recipe: short(at(dossier, 'candidate', 'recipe')) ?? 'unknown',
    version: short(at(dossier, 'candidate', 'version')),
    base: isObject(base)
      ? { version: short(at(base, 'base', 'version')), reason: short(first(at(base, 'reasons'))) }
      : undefined,
    rejected: rows(at(base, 'rejected')).map((row) => ({
      tag: short(at(row, 'tag')) ?? '',
      reason: short(at(row, 'reason')) ?? '',
    })),
    test:
      verdict === undefined
        ? undefined
        : {
            verdict,
            reason: short(first(at(test, 'reasons'))),
            tiers: rows(at(test, 'tiers')).map((tier) => ({
              name: short(at(tier, 'name')) ?? '',
              verdict: short(at(tier, 'verdict')) ?? '',
              seconds: secondsOf(at(tier, 'durationMs')),
              reason: short(at(tier, 'reason')),
            })),
          },
  };
}

function short(value: unknown): string | undefined {
  return textOf(value)?.slice(0, LONGEST_TEXT);
}

function first(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

function rows(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, MOST_ROWS) : [];
}

function secondsOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value / 1000 : undefined;
}
