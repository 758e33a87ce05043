import type { BareRepository, CommitId } from '../git/commit.ts';
import { Failure } from '../outcome.ts';
import { type FileChanges, fileLimits, fileNames, type RecipeFiles, textOf } from './recipe-files.ts';
import { isRecipeName } from './recipe-name.ts';
import { justWrite, type Store, type Waiting, type WriteHook } from './store.ts';

const patienceMs = 2 * 60_000;
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
    readAll: () =>
      inTurn(async () => {
        const git = await repository();
        const tip = await tipOf(git);
        const all = new Map<string, RecipeFiles>();
        for (const entry of await git.list(tip, '')) {
          const recipe = entry.endsWith('/') ? entry.slice(0, -1) : '';
          if (isRecipeName(recipe)) all.set(recipe, await filesAt(git, tip, recipe));
        }
        return all;
      }),
    read: (recipe) =>
      inTurn(async () => {
        const git = await repository();
        return filesAt(git, await tipOf(git), recipe);
      }),
    change: (recipe, note, edit) =>
      inTurn(async () => {
        const git = await repository();
        const until = waiting.now() + patienceMs;
        for (let tries = 0; ; tries++) {
          const tip = await tipOf(git);
          const changes = edit(await filesAt(git, tip, recipe));
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
          await waiting.sleep(waiting.random() * Math.min(3000, 100 * 2 ** tries));
        }
      }),
  };
}

async function filesAt(git: BareRepository, tip: CommitId, recipe: string): Promise<RecipeFiles> {
  const names = await git.list(tip, recipe);
  if (names.length === 0 && (await git.list(tip, '')).includes(recipe)) throw notRegular(recipe);
  const files: { -readonly [N in keyof RecipeFiles]: RecipeFiles[N] } = {};
  for (const name of fileNames) {
    const path = `${recipe}/${name}`;
    if (names.includes(`${name}/`)) throw notRegular(path);
    if (!names.includes(name)) continue;
    const bytes = await git.readFile(tip, path, fileLimits[name]);
    // Listed, and yet no regular file: a link, which must not read as "no record".
    if (bytes === undefined) throw notRegular(path);
    files[name] = textOf(bytes, path);
  }
  return files;
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
