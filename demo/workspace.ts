import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command } from '../sandbox/command.ts';
import { gitEnv, makeBareCopy, makeRepository, type Repository } from '../sandbox/repositories.ts';
import { notesService, releases } from './notes-service.ts';

const entry = fileURLToPath(new URL('../dist/index.js', import.meta.url));

/** A repository with the three releases of the notes service, and the remote that a CI would clone. */
export interface NotesProject {
  readonly repository: Repository;
  /** Path of the bare remote. */
  readonly remote: string;
  /** Publishes what was committed and tagged since. */
  push(...refs: readonly string[]): Promise<void>;
  /** A fresh checkout of a ref of the remote, as a CI makes one. */
  checkout(ref: string): Promise<string>;
}

export async function makeNotesProject(
  root: string,
  names: { readonly base: string; readonly image: string },
): Promise<NotesProject> {
  const repository = await makeRepository(join(root, 'author'));
  for (const release of releases) {
    await repository.commit(`notes ${release.version}`, notesService(release, names));
    await repository.tag(release.version);
  }
  const remote = join(root, 'remote', 'notes.git');
  await makeBareCopy(repository, remote);
  let checkouts = 0;
  return {
    repository,
    remote,
    push: async (...refs) => {
      await repository.git('push', '-q', remote, ...refs);
    },
    checkout: async (ref) => {
      const folder = join(root, 'checkouts', `${++checkouts}`, 'notes');
      mkdirSync(folder, { recursive: true });
      const git = (...args: readonly string[]): Promise<string> =>
        command(['git', ...args], { cwd: folder, env: gitEnv() });
      await git('init', '-q', '-b', 'main');
      await git('remote', 'add', 'origin', remote);
      await git('fetch', '-q', '--depth=1', 'origin', ref);
      await git('checkout', '-q', '--detach', 'FETCH_HEAD');
      return folder;
    },
  };
}

export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs the bundle as a process of its own; `show` lets a person watch. */
export async function runBundle(
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly show?: boolean;
    readonly node?: string;
  },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(options.node ?? process.execPath, [entry, ...args], {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        output += text;
        if (options.show === true) process.stdout.write(text);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
