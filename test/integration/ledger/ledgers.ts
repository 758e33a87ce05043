import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gitServer } from '../../../sandbox/git-server.ts';
import { openBareRepository } from '../../../src/git/commit.ts';
import { parseRemote, type Remote } from '../../../src/git/remote.ts';
import { fileStore } from '../../../src/ledger/file.ts';
import { gitStore } from '../../../src/ledger/git.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { ledgerOver } from '../../../src/ledger/records.ts';
import type { Waiting, WriteHook } from '../../../src/ledger/store.ts';
import { ourGit, type Repository, repository, temporaryFolder } from '../git/repository.ts';

export const realWaiting: Waiting = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: () => Math.random(),
};

/** A place for a ledger, seen from outside our code: what a person or an attacker can do to it. */
export interface Place {
  readonly kind: 'file' | 'git';
  /** A ledger of a process of its own: nothing is shared with another one but the place. */
  open(options?: { waiting?: Waiting; write?: WriteHook }): Ledger;
  read(path: string): string | undefined;
  /** Writes a file by hand; `null` removes it. */
  write(path: string, text: string | Uint8Array | null): void;
  /** Puts a symbolic link there. */
  link(path: string, target: string): void;
  /** Every change so far; only what a git server keeps. */
  readonly bare?: Repository;
  readonly remote?: Remote;
}

export function filePlace(folder = join(temporaryFolder('knowngood-ledger-'), 'ledger')): Place {
  return {
    kind: 'file',
    open: ({ waiting = realWaiting, write } = {}) =>
      ledgerOver(fileStore({ folder, waiting, ...(write === undefined ? {} : { write }) })),
    read: (path) => (existsSync(join(folder, path)) ? readFileSync(join(folder, path), 'utf8') : undefined),
    write(path, text) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      if (text === null) rmSync(join(folder, path));
      else writeFileSync(join(folder, path), text);
    },
    link(path, target) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      rmSync(join(folder, path), { recursive: true, force: true });
      symlinkSync(target, join(folder, path));
    },
  };
}

export const branch = 'knowngood';

/** A place on a bare repository, over a path or over the smart HTTP of a server. */
export function gitPlace(bareFolder: string, address = bareFolder): Place {
  mkdirSync(bareFolder, { recursive: true });
  const bare = repository(bareFolder, { bare: true });
  // The server of a real ledger refuses what is no fast-forward, whoever asks.
  bare.git('config', 'receive.denyNonFastForwards', 'true');
  bare.git('config', 'receive.denyDeletes', 'true');
  const remote = parseRemote(address, { insecureHosts: [], folder: '/' });
  const byHand = (change: (folder: string, person: Repository) => void): void => {
    const person = repository(temporaryFolder('knowngood-person-'), { clone: bareFolder });
    person.git('checkout', '-q', '-B', branch, `origin/${branch}`);
    change(person.folder, person);
    person.commit({}, 'by hand');
    person.git('push', '-q', 'origin', branch);
  };
  return {
    kind: 'git',
    bare,
    remote,
    open: ({ waiting = realWaiting, write } = {}) =>
      ledgerOver(
        gitStore({
          address: `git:${remote.url}#${branch}`,
          branch,
          open: () => openBareRepository(ourGit(), remote),
          waiting,
          ...(write === undefined ? {} : { write }),
        }),
      ),
    read(path) {
      try {
        return `${bare.git('show', `${branch}:${path}`)}\n`;
      } catch {
        return undefined;
      }
    },
    write: (path, text) =>
      byHand((folder) => {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        if (text === null) rmSync(join(folder, path));
        else writeFileSync(join(folder, path), text);
      }),
    link: (path, target) =>
      byHand((folder) => {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        rmSync(join(folder, path), { recursive: true, force: true });
        symlinkSync(target, join(folder, path));
      }),
  };
}

export async function httpGit(): Promise<{ place(): Place; server: Awaited<ReturnType<typeof gitServer>> }> {
  const folder = temporaryFolder('knowngood-remotes-');
  const server = await gitServer(folder);
  return {
    server,
    place: () => {
      const name = `${randomUUID()}.git`;
      return gitPlace(join(folder, name), `${server.url}/${name}`);
    },
  };
}
