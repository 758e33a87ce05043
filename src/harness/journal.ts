import { closeSync, constants, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';

export type MadeKind =
  | 'container'
  | 'network'
  | 'volume'
  | 'image'
  | 'secret'
  | 'config'
  | 'service'
  | 'folder';

export interface Made {
  readonly kind: MadeKind;
  readonly name: string;
}

/**
 * The list of what this run makes, on disk before it is made: a process that is killed between the two leaves a
 * name that does not exist, never a thing that nobody knows of.
 */
export interface Journal {
  readonly path: string;
  /** Notes a name; returns once it is written. Noting it twice is free. */
  note(kind: MadeKind, name: string): void;
  /** All names, newest first: the order of removal. */
  entries(): readonly Made[];
  /** The run left nothing: the file goes too. */
  close(): void;
}

/** `folder` is the recipe's folder in knowngood-out; `owner` as in owner.ts. */
export function openJournal(folder: string, runId: string, owner: string): Journal {
  const path = join(folder, `journal-${runId}.ndjson`);
  mkdirSync(folder, { recursive: true });
  const made: Made[] = [];
  const known = new Set<string>();
  const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
  const file = onDisk(() => openSync(path, O_APPEND | O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600));
  try {
    onDisk(() => writeSync(file, `${JSON.stringify({ owner })}\n`));
  } catch (cause) {
    closeSync(file);
    rmSync(path, { force: true });
    throw cause;
  }
  return {
    path,
    note(kind, name) {
      const key = `${kind} ${name}`;
      if (known.has(key)) return;
      // Not fsynced: a killed process does not lose it, and after a fall of the machine name and label still tell.
      onDisk(() => writeSync(file, `${JSON.stringify({ kind, name })}\n`));
      known.add(key);
      made.unshift({ kind, name });
    },
    entries: () => made,
    close() {
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}

/** Run ids of journals that are still there: runs that were killed, or that could not remove everything. */
export function journalledRuns(names: readonly string[]): string[] {
  return names.flatMap((name) => /^journal-([a-z0-9]{8,16})\.ndjson$/.exec(name)?.[1] ?? []);
}

/** What a killed run had noted; a last line that was cut is left out. */
export function readJournal(path: string): Made[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        const value = JSON.parse(line) as Partial<Made>;
        return typeof value.kind === 'string' && typeof value.name === 'string' ? [value as Made] : [];
      } catch {
        return [];
      }
    });
}

function onDisk<T>(write: () => T): T {
  try {
    return write();
  } catch (cause) {
    throw new Failure(
      'disk-full',
      `The journal of the run could not be written: ${(cause as Error).message}.`,
      { cause },
    );
  }
}
