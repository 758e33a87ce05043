import type { FileChanges, FileName, RecipeFiles } from './recipe-files.ts';

/** Time and chance, given in by the entry. */
export interface Waiting {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** At least 0, less than 1: jitter between runs that collide. */
  random(): number;
}

/**
 * Every write that another process could see goes through this, with its name. The real one just acts; tests stop
 * the process before or after any of them, so that no write is forgotten by a list of writes.
 */
export type WriteHook = <T>(name: string, act: () => Promise<T>) => Promise<T>;

export const justWrite: WriteHook = (_name, act) => act();

/**
 * Where a ledger is kept. An adapter knows files and how to change them atomically, and nothing of what they mean.
 * All of it may fail with `ledger-unavailable`, `ledger-busy` (others wrote all the time, for 2 minutes),
 * `record-corrupt` (not UTF-8, too large) and `path-outside` (a link where a file or folder should be).
 */
export interface Store {
  /** For people: the setting without credentials. */
  readonly address: string;
  exists(): Promise<boolean>;
  /** Makes the empty ledger; `false` where it was there already. */
  create(): Promise<boolean>;
  /** These files of every recipe that has a folder. Fails with `ledger-missing`. */
  readAll(names: readonly FileName[]): Promise<ReadonlyMap<string, RecipeFiles>>;
  /** All files of a recipe, of one moment; none where it has no folder. Fails with `ledger-missing`. */
  read(recipe: string): Promise<RecipeFiles>;
  /**
   * Reads the recipe's files, asks `edit` what to change, and makes all of the changes or none, only if the files
   * are still those that `edit` saw; else `edit` is asked again about the newer ones. `edit` must say `undefined`
   * where its change is there already: after a lost answer it is asked about its own work. Fails with
   * `ledger-missing`, and with what `edit` throws. Answers whether something was written.
   */
  change(
    recipe: string,
    note: string,
    edit: (files: RecipeFiles) => FileChanges | undefined,
  ): Promise<boolean>;
}
