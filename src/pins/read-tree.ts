import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';
import { readInside } from '../recipe/inside.ts';
import { isLiteral, pathPattern, unusualFolders, usualPins } from './patterns.ts';
import type { Pin, PinFile, Unreadable } from './pin.ts';
import { readPinFile } from './read-file.ts';

/** Largest file that is read, in bytes (security.md 7 of the design). */
const FILE_LIMIT = 1024 * 1024;
/** Files and folders that are looked at; a tree with more is told, never read in part without a word. */
const MOST_ENTRIES = 200_000;
const MOST_FILES = 5_000;

export interface PinsOfTree {
  readonly pins: readonly Pin[];
  readonly unreadable: readonly Unreadable[];
  /** Paths that were read, in order. */
  readonly files: readonly string[];
}

export interface TreeInputs {
  /** Absolute folder. */
  readonly folder: string;
  /** Patterns; none: the usual files. */
  readonly patterns: readonly string[];
  /** The env file of compose files, relative, where the configuration names one. */
  readonly envFile?: string | undefined;
  /** Folders that are not looked into: ours. */
  readonly without?: readonly string[];
  /** Told the pins of each file as it is read, so that look-ups can begin. */
  readonly onPins?: (pins: readonly Pin[]) => void;
}

/**
 * The images that the files of a tree name. Links are not followed: a path that a person named and that is one fails
 * with `path-outside`, a pattern passes it over.
 */
export async function readPins(inputs: TreeInputs): Promise<PinsOfTree> {
  const { folder, patterns, envFile, without = [], onPins } = inputs;
  const files = filesOf(folder, patterns, new Set(['.git', 'knowngood-out', ...without]));
  const other = (path: string): string | undefined => textInside(folder, path);
  const readOne = (file: string): PinFile => {
    try {
      const bytes = readInside(folder, file, FILE_LIMIT);
      return bytes === undefined ? absent(file) : readPinFile(file, bytes, other, envFile);
    } catch (error) {
      if (!(error instanceof Failure) || patterns.includes(file)) throw error;
      return told(file, 'it is larger than 1 MiB, or no regular file');
    }
  };
  const read: PinFile[] = [];
  for (const file of files) {
    const one = readOne(file);
    onPins?.(one.pins);
    read.push(one);
    // Answers that came meanwhile are taken, and further questions sent: a file of YAML is milliseconds of work.
    await new Promise((turn) => setImmediate(turn));
  }
  return {
    files,
    pins: read.flatMap(({ pins }) => pins),
    unreadable: read.flatMap(({ unreadable }) => unreadable),
  };
}

function filesOf(
  folder: string,
  patterns: readonly string[],
  hidden: ReadonlySet<string>,
): readonly string[] {
  const usual = patterns.length === 0;
  const literal = patterns.filter(isLiteral).map((path) => path.replace(/^(?:\.\/)+/, ''));
  const tests = (usual ? usualPins : patterns.filter((pattern) => !isLiteral(pattern))).map(pathPattern);
  const found = new Set(literal);
  if (tests.length > 0) {
    for (const path of walk(folder, usual ? new Set([...hidden, ...unusualFolders]) : hidden)) {
      if (tests.some((test) => test.test(path))) found.add(path);
    }
  }
  if (found.size > MOST_FILES) {
    throw new Failure(
      'setting-invalid',
      `\`pins\` names ${found.size} files, and at most ${MOST_FILES} are read.`,
      {
        remedy: 'Name fewer files.',
      },
    );
  }
  return [...found].sort();
}

function* walk(folder: string, hidden: ReadonlySet<string>): Generator<string> {
  const open = [''];
  let seen = 0;
  for (let below = open.pop(); below !== undefined; below = open.pop()) {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      seen += 1;
      if (seen > MOST_ENTRIES) {
        throw new Failure('setting-invalid', `The tree has more than ${MOST_ENTRIES} files.`, {
          remedy: 'Name the files in `pins` instead of patterns.',
        });
      }
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!hidden.has(entry.name)) open.push(path);
      } else if (entry.isFile()) yield path;
    }
  }
}

/** A file beside; one that is a link or too large gives nothing, as if it were not there. */
function textInside(folder: string, path: string): string | undefined {
  try {
    return readInside(folder, path, FILE_LIMIT)?.toString('utf8');
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

const told = (file: string, why: string): PinFile => ({
  file,
  pins: [],
  unreadable: [{ at: { file, line: 1, column: 1 }, why }],
});

const absent = (file: string): PinFile => told(file, 'there is no such file');
