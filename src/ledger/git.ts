import type { BareRepository, CommitId } from '../git/commit.ts';
import { Failure } from '../outcome.ts';
import {
  type FileChanges,
  type FileName,
  fileLimits,
  fileNames,
  type RecipeFiles,
  textOf,
} from './recipe-files.ts';
import { isRecipeName } from './recipe-name.ts';
import { justWrite, type Store, type Waiting, type WriteHook } from './store.ts';

const patienceMs = 2 * 60_000;
const longestPauseMs = 15_000;
const author = { name: 'knowngood', email: 'knowngood@localhost' };

const readme = `# Release ledger

Written by knowngood, one folder a recipe. Every line of \`promotions.ndjson\` carries the digest of the line before
it: a change by hand breaks the chain, and every step then refuses the record. Protect this branch against
force-pushes and deletion.
`;

export interface GitStoreOptions {
  /** Remote and branch as people write them, without credentials. */
  readonly address: string;
  /** Opened at first use: a run that needs no ledger makes no repository. */
  readonly open: () => Promise<BareRepository>;
  readonly branch: string;
  readonly waiting: Waiting;
  readonly write?: WriteHook;
}

/**
 * A ledger on a branch of a git repository. Every change is one commit on the tip that was read, pushed plainly:
 * the remote takes it only if nothing came in between, which makes the push a compare-and-swap.
 */
export function gitStore(options: GitStoreOptions): Store {
  const { branch, waiting } = options;
  const write = options.write ?? justWrite;
  let opened: Promise<BareRepository> | undefined;
  const repository = (): Promise<BareRepository> => {
    opened ??= options.open();
    return opened;
  };
  // One at a time: fetches into one repository stand in each other's way.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const mine = turn.then(act, act);
    turn = mine.catch(() => undefined);
    return mine;
  };

  const tipOf = async (git: BareRepository): Promise<CommitId> => {
    const tip = await git.fetchTip(branch);
    if (tip === undefined) throw new Failure('ledger-missing', `There is no ledger at ${options.address}.`);
    return tip;
  };

  /** Whether the commit became part of the branch, also where the answer to the push was lost. */
  const send = async (git: BareRepository, commit: CommitId, note: string): Promise<boolean> => {
    try {
      return (await write(`push ${note}`, () => git.push(commit, branch))) === 'landed';
    } catch (cause) {
      if (!(cause instanceof Failure) || cause.code !== 'git-unreachable') throw cause;
      // The remote may have acted before the line was cut. Only the branch itself knows.
      return git.contains(branch, commit);
    }
  };

  return {
    address: options.address,
    exists: () => inTurn(async () => (await (await repository()).fetchTip(branch)) !== undefined),
    create: () =>
      inTurn(async () => {
        const git = await repository();
        if ((await git.fetchTip(branch)) !== undefined) return false;
        const commit = await git.writeCommit({
          changes: { 'README.md': readme },
          parent: undefined,
          message: 'Begin the ledger',
          author,
          at: new Date(waiting.now()),
        });
        return send(git, commit, 'new ledger');
      }),
    readAll: (names) =>
      inTurn(async () => {
        const git = await repository();
        return filesAt(git, await tipOf(git), '', names);
      }),
    read: (recipe) =>
      inTurn(async () => {
        const git = await repository();
        return filesOf(git, await tipOf(git), recipe);
      }),
    change: (recipe, note, edit) =>
      inTurn(async () => {
        const git = await repository();
        const until = waiting.now() + patienceMs;
        for (let tries = 0; ; tries++) {
          const began = waiting.now();
          const tip = await tipOf(git);
          const changes = edit(await filesOf(git, tip, recipe));
          if (changes === undefined) return false;
          const commit = await git.writeCommit({
            changes: underFolder(recipe, changes),
            parent: tip,
            message: note,
            author,
            at: new Date(waiting.now()),
          });
          if (await send(git, commit, note)) return true;
          if (waiting.now() > until) {
            throw new Failure(
              'ledger-busy',
              `${options.address} was written by others ${tries + 1} times in a row.`,
            );
          }
          await waiting.sleep(pauseAfter(tries, waiting.now() - began) * waiting.random());
        }
      }),
  };
}

/**
 * The longest pause after a lost race, in milliseconds. It grows with how long a try takes here and now: a hundred
 * runs that all come back after a fixed time only slow each other down, and one of them lands per round.
 */
function pauseAfter(tries: number, tookMs: number): number {
  return Math.min(longestPauseMs, Math.max(50, tookMs) * 2 ** Math.min(tries, 6));
}

async function filesOf(git: BareRepository, tip: CommitId, recipe: string): Promise<RecipeFiles> {
  return (await filesAt(git, tip, recipe, fileNames)).get(recipe) ?? {};
}

/** The wanted files below `folder` ('': of all recipes), by recipe. */
async function filesAt(
  git: BareRepository,
  tip: CommitId,
  folder: string,
  wanted: readonly FileName[],
): Promise<ReadonlyMap<string, RecipeFiles>> {
  const found = (await git.files(tip, folder)).flatMap((entry) => {
    const [recipe = '', name, ...deeper] = entry.path.split('/');
    if (!isRecipeName(recipe)) return [];
    // A link in a folder's or a file's place must never read as "no record".
    if (name === undefined) {
      if (entry.mode === '120000' || folder !== '') throw notRegular(entry.path);
      return [];
    }
    const known = wanted.find((candidate) => candidate === name);
    if (known === undefined) return [];
    if (deeper.length > 0 || entry.type !== 'blob' || entry.mode === '120000') throw notRegular(entry.path);
    if ((entry.size ?? 0) > fileLimits[known]) {
      throw new Failure(
        'record-corrupt',
        `${entry.path} has ${entry.size} bytes, and at most ${fileLimits[known]} are believed.`,
      );
    }
    return [{ recipe, name: known, id: entry.id, size: entry.size ?? 0, path: entry.path }];
  });
  const contents = await git.blobs(
    [...new Set(found.map(({ id }) => id))],
    found.reduce((sum, { size }) => sum + size, 0),
  );
  const all = new Map<string, { -readonly [N in FileName]?: string }>();
  for (const { recipe, name, id, path } of found) {
    const files = all.get(recipe) ?? {};
    files[name] = textOf(contents.get(id) ?? new Uint8Array(), path);
    all.set(recipe, files);
  }
  return all;
}

function notRegular(path: string): Failure {
  return new Failure('path-outside', `${path} in the ledger is not a regular file or folder.`);
}

function underFolder(recipe: string, changes: FileChanges): Record<string, string | null> {
  return Object.fromEntries(
    fileNames.flatMap((name) => {
      const text = changes[name];
      return text === undefined ? [] : [[`${recipe}/${name}`, text] as const];
    }),
  );
}
