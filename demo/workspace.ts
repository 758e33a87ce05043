import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command } from '../sandbox/command.ts';
import { gitEnv, makeBareCopy, makeRepository, type Repository } from '../sandbox/repositories.ts';
import { notesService, releases } from './notes-service.ts';

/** The bundle that is in the repository, unless another one is to be looked at. */
const entry = process.env.KNOWNGOOD_BUNDLE ?? fileURLToPath(new URL('../dist/index.js', import.meta.url));

/** The repository of the notes service, and the remote that a CI would clone. */
export interface NotesProject {
  readonly repository: Repository;
  /** Path of the bare remote. */
  readonly remote: string;
  /** Commits, tags and publishes one of the releases; newer ones are not there yet. */
  release(version: string): Promise<void>;
  /** Publishes what was committed and tagged since. */
  push(...refs: readonly string[]): Promise<void>;
  /** A fresh checkout of a ref of the remote, as a CI makes one. */
  checkout(ref: string): Promise<string>;
}

/** The project with its first releases published, `upTo` the newest of them. */
export async function makeNotesProject(
  root: string,
  { upTo, ...names }: { readonly base: string; readonly image: string; readonly upTo: string },
): Promise<NotesProject> {
  const repository = await makeRepository(join(root, 'author'));
  const commit = async (version: string): Promise<void> => {
    const release = releases.find((one) => one.version === version);
    if (release === undefined) throw new Error(`the notes service has no release ${version}`);
    await repository.commit(`notes ${version}`, notesService(release, names));
    await repository.tag(version);
  };
  for (const { version } of releases.slice(0, releases.findIndex((one) => one.version === upTo) + 1)) {
    await commit(version);
  }
  const remote = join(root, 'remote', 'notes.git');
  await makeBareCopy(repository, remote);
  const push = async (...refs: readonly string[]): Promise<void> => {
    await repository.git('push', '-q', remote, ...refs);
  };
  let checkouts = 0;
  return {
    repository,
    remote,
    push,
    release: async (version) => {
      await commit(version);
      await push('main', version);
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
