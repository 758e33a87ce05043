import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { SweepResult } from '../../rules/sweep/result.ts';
import type { FleetEntry } from '../../settings/fleet-file.ts';
import type { FreeStepInput } from '../step.ts';

/** How old a killed sweep may be to be gone on with: after that its answers are history. */
const RESUMABLE_MS = 24 * 3600_000;

/** The results of a sweep, kept in a file as they happen. */
export interface Results {
  readonly all: readonly SweepResult[];
  /** Appends at once: what was done is known after a kill, too. */
  add(result: SweepResult): void;
  /** The sweep came to its end: the next one begins anew. */
  end(): void;
}

/** Opens the file of results; those that this same sweep had written before it was killed are kept. */
export function openResults(
  file: string,
  { event, now }: FreeStepInput,
  listed: readonly FleetEntry[],
): Results {
  const mark = `${file}.unfinished`;
  const begun = existsSync(mark) ? readFileSync(mark, 'utf8').split(' ') : [];
  const resumes = begun[0] === event.run.id && now().getTime() - Date.parse(begun[1] ?? '') < RESUMABLE_MS;
  const all = resumes && existsSync(file) ? read(file, listed) : [];
  if (!resumes) writeFileSync(mark, `${event.run.id} ${now().toISOString()}`);
  writeFileSync(file, all.map(lineOf).join(''));
  return {
    all,
    add(result) {
      all.push(result);
      appendFileSync(file, lineOf(result));
    },
    end: () => rmSync(mark, { force: true }),
  };
}

function lineOf(result: SweepResult): string {
  return `${JSON.stringify(result)}\n`;
}

function read(file: string, listed: readonly FleetEntry[]): SweepResult[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const results = lines.flatMap((line): SweepResult[] => {
    try {
      return [JSON.parse(line) as SweepResult];
    } catch {
      // The line that was being written.
      return [];
    }
  });
  return results.filter(({ recipe }) => listed.some((entry) => entry.recipe === recipe));
}
