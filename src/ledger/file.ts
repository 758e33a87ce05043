import { lstatSync } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { Failure } from '../outcome.ts';
import {
  type Fenced,
  isFolder,
  makeFolder,
  putFile,
  readRegular,
  removeFile,
  removeTemporaries,
  systemCode,
  unavailable,
} from './durable-folder.ts';
import { lockFolder } from './folder-lock.ts';
import {
  type FileChanges,
  type FileName,
  fileLimits,
  fileNames,
  parseLedgerJson,
  type RecipeFiles,
  textOf,
} from './recipe-files.ts';
import { isRecipeName } from './recipe-name.ts';
import { justWrite, type Store, type Waiting, type WriteHook } from './store.ts';

/** A change of several files under way: made durable first, then carried out, by whoever comes next if need be. */
const JOURNAL = '.change.json';
const journalLimit = 256 * 1024 * 1024;
const consistentReadTries = 200;
/** Recipes that are read at a time. */
const READERS = 8;

export interface FileStoreOptions {
  /** Absolute path of the ledger's folder. */
  readonly folder: string;
  /** The checkout of a CI host: a ledger in there is gone after the job. Left out in a terminal. */
  readonly ephemeral?: string;
  readonly waiting: Waiting;
  readonly write?: WriteHook;
}

/**
 * A ledger in a folder of this machine, a folder per recipe. Fails with `ledger-not-durable` at its first use where
 * the folder is in the workspace of a CI host.
 */
export function fileStore(options: FileStoreOptions): Store {
  const { folder, waiting } = options;
  const write = options.write ?? justWrite;

  const exists = async (): Promise<boolean> => {
    if (options.ephemeral !== undefined) await assertDurable(folder, options.ephemeral);
    return isFolder(folder);
  };
  const open = async (): Promise<void> => {
    if (await exists()) return;
    throw new Failure('ledger-missing', `There is no ledger at file:${folder}.`);
  };

  return {
    address: `file:${folder}`,
    exists,
    async create() {
      if (await exists()) return false;
      await makeParents(dirname(folder));
      await write('make ledger', () => makeFolder(dirname(folder), folder.slice(dirname(folder).length + 1)));
      return true;
    },
    async readAll(names) {
      await open();
      const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
        throw unavailable(folder, cause);
      });
      const all = new Map<string, RecipeFiles>();
      const recipes = entries.filter((entry) => entry.isDirectory() && isRecipeName(entry.name)).values();
      const reader = async (): Promise<void> => {
        for (const { name } of recipes) {
          all.set(name, await readConsistently(join(folder, name), waiting, names));
        }
      };
      await Promise.all(Array.from({ length: READERS }, reader));
      return all;
    },
    async read(recipe) {
      await open();
      return readConsistently(join(folder, recipe), waiting);
    },
    async change(recipe, _note, edit) {
      await open();
      const place = join(folder, recipe);
      // Nothing to write, then no trace: not even a lock, and reading needs no right to write.
      if (edit(await readConsistently(place, waiting)) === undefined) return false;
      await makeFolder(folder, recipe);
      const lock = await lockFolder(place, waiting, write);
      try {
        await removeTemporaries(place);
        const fenced = { write, stillOurs: lock.assertHeld };
        await settle(place, fenced);
        const files = await readFiles(place);
        const changes = edit(files);
        if (changes === undefined) return false;
        await apply(place, files, changes, fenced);
        return true;
      } finally {
        await lock.release();
      }
    },
  };
}

async function apply(
  place: string,
  before: RecipeFiles,
  changes: FileChanges,
  fenced: Fenced,
): Promise<void> {
  const names = fileNames.filter((name) => changes[name] !== undefined);
  if (names.length === 1) {
    for (const name of names) await putOrRemove(place, name, changes[name] ?? null, before[name], fenced);
    return;
  }
  await putFile(place, JOURNAL, JSON.stringify(changes), fenced);
  try {
    await settle(place, fenced);
  } catch (cause) {
    // Our lock was broken after the journal was there: whoever broke it carries the journal out first of all.
    if (!(cause instanceof Failure && cause.code === 'ledger-busy')) throw cause;
  }
}

/** Carries out what the journal says, if there is one. Doing it twice is doing it once. */
async function settle(place: string, fenced: Fenced): Promise<void> {
  const text = await readText(place, JOURNAL, journalLimit);
  if (text === undefined) return;
  const changes = parseJournal(place, text);
  for (const name of fileNames) {
    const wanted = changes[name];
    if (wanted === undefined) continue;
    await putOrRemove(place, name, wanted, await readText(place, name, fileLimits[name]), fenced);
  }
  await removeFile(place, JOURNAL, text, fenced);
}

async function putOrRemove(
  place: string,
  name: FileName,
  text: string | null,
  before: string | undefined,
  fenced: Fenced,
): Promise<void> {
  if (text !== null) await putFile(place, name, text, fenced);
  else if (before !== undefined) await removeFile(place, name, before, fenced);
}

async function readText(place: string, name: string, limit: number): Promise<string | undefined> {
  const bytes = await readRegular(join(place, name), limit);
  return bytes && textOf(bytes, `${place}/${name}`);
}

function parseJournal(place: string, text: string): FileChanges {
  const changes = parseLedgerJson(text, `${place}/${JOURNAL}`);
  if (!isChanges(changes)) throw new Failure('record-corrupt', `${place}/${JOURNAL} is damaged.`);
  return changes;
}

function isChanges(value: unknown): value is FileChanges {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(
      ([name, text]) => Object.hasOwn(fileLimits, name) && (text === null || typeof text === 'string'),
    )
  );
}

async function readFiles(place: string, names: readonly FileName[] = fileNames): Promise<RecipeFiles> {
  if (!(await isFolder(place))) return {};
  const files: { [N in FileName]?: string } = {};
  for (const name of names) {
    const text = await readText(place, name, fileLimits[name]);
    if (text !== undefined) files[name] = text;
  }
  // A journal is a change that is made already, only not everywhere yet.
  const journal = await readText(place, JOURNAL, journalLimit);
  for (const [name, text] of Object.entries(journal === undefined ? {} : parseJournal(place, journal))) {
    if (text === null) delete files[name as FileName];
    else files[name as FileName] = text;
  }
  return files;
}

/** Reads without a lock: again and again until no file was replaced while we read, since every write is a rename. */
async function readConsistently(
  place: string,
  waiting: Waiting,
  names: readonly FileName[] = fileNames,
): Promise<RecipeFiles> {
  for (let tries = 0; tries < consistentReadTries; tries++) {
    const before = fingerprint(place, names);
    const files = await readFiles(place, names);
    if (fingerprint(place, names) === before) return files;
    await waiting.sleep(1 + waiting.random() * 10);
  }
  throw new Failure('ledger-busy', `${place} changes all the time.`);
}

/** What tells a file from every other that stood in its place. Not awaited: that takes ten times as long. */
function fingerprint(place: string, names: readonly FileName[]): string {
  const parts = [JOURNAL, ...names].map((name) => {
    try {
      const stats = lstatSync(join(place, name), { bigint: true, throwIfNoEntry: false });
      return stats === undefined ? '-' : `${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
    } catch (cause) {
      throw unavailable(join(place, name), cause);
    }
  });
  return parts.join(' ');
}

async function assertDurable(folder: string, workspace: string): Promise<void> {
  const inside = relative(await realpath(workspace), await realpathOfNearest(folder));
  if (inside === '..' || inside.startsWith(`..${sep}`)) return;
  throw new Failure(
    'ledger-not-durable',
    `The ledger file:${folder} is in the workspace, which ends with the job.`,
  );
}

/** The real path of a folder that may not be there yet. */
async function realpathOfNearest(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT' || dirname(path) === path) throw unavailable(path, cause);
    return join(await realpathOfNearest(dirname(path)), path.slice(dirname(path).length));
  }
}

async function makeParents(path: string): Promise<void> {
  if (dirname(path) === path || (await isParent(path))) return;
  await makeParents(dirname(path));
  await makeFolder(dirname(path), path.slice(dirname(path).length + 1));
}

async function isParent(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (cause: unknown) => {
      if (systemCode(cause) === 'ENOENT') return false;
      throw unavailable(path, cause);
    },
  );
}
