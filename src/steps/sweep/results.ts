import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { writeWhole } from '../../dossier/write-whole.ts';
import { Failure } from '../../outcome.ts';
import type { SweepResult } from '../../rules/sweep/result.ts';
import type { FleetEntry } from '../../settings/fleet-file.ts';
import { at } from '../../untrusted/fields.ts';
import type { FreeStepInput } from '../step.ts';

/** How old a killed sweep may be to be gone on with: after that its answers are history. */
const RESUMABLE_MS = 24 * 3600_000;

/** The part of this sweep that was killed. */
export interface Begun {
  readonly run: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Its process is gone for certain. */
  readonly isDead: boolean;
}

/** The results of a sweep, kept in a file as they happen. */
export interface Results {
  readonly all: readonly SweepResult[];
  /** Where this sweep goes on after a kill. */
  readonly begun: Begun | undefined;
  /** Appends at once: what was done is known after a kill, too. */
  add(result: SweepResult): void;
  /** The sweep came to its end: the next one begins anew. */
  end(): void;
}

/**
 * Opens the file of results; those that this same sweep had written before it was killed are kept. Fails with
 * `sweep-running` where it is not killed at all.
 */
export async function openResults(
  file: string,
  { event, now, tools }: FreeStepInput,
  listed: readonly FleetEntry[],
): Promise<Results> {
  const mark = `${file}.unfinished`;
  const { thisOwner, livenessOf } = await tools.owners();
  const found = readMark(mark);
  const liveness = found === undefined ? 'dead' : livenessOf(found.owner);
  if (liveness === 'alive' && found?.owner !== thisOwner()) throw new Failure('sweep-running');
  const resumes =
    found !== undefined && found.run === event.run.id && now().getTime() - found.at < RESUMABLE_MS;
  const begun = resumes ? { run: found.run, at: found.at, isDead: liveness === 'dead' } : undefined;
  const all = resumes && existsSync(file) ? read(file, listed) : [];
  writeWhole(
    mark,
    JSON.stringify({ run: event.run.id, at: begun?.at ?? now().getTime(), owner: thisOwner() }),
  );
  writeWhole(file, all.map(lineOf).join(''));
  return {
    all,
    begun,
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

function readMark(mark: string): { run: string; at: number; owner: string } | undefined {
  const value = existsSync(mark) ? parsed(readFileSync(mark, 'utf8')) : undefined;
  const [run, time, owner] = [at(value, 'run'), at(value, 'at'), at(value, 'owner')];
  if (typeof run !== 'string' || typeof time !== 'number' || typeof owner !== 'string') return undefined;
  return { run, at: time, owner };
}

function read(file: string, listed: readonly FleetEntry[]): SweepResult[] {
  const names = new Set(listed.map(({ recipe }) => recipe));
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line): SweepResult[] => {
      // The line that was being written is none.
      const value = parsed(line);
      return value === undefined ? [] : [value as SweepResult];
    })
    .filter(({ recipe }) => names.has(recipe));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
