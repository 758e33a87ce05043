import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { command } from './command.ts';

/** Content of files by path; null removes a file. */
export type Files = Readonly<
  Record<string, string | Buffer | { readonly content: string; readonly mode: number } | null>
>;

export interface Repository {
  readonly path: string;
  /** Writes the files, commits everything there is and returns the commit's full hash. */
  commit(message: string, files?: Files): Promise<string>;
  /** A lightweight tag, or an annotated one where a message is given; on HEAD unless a commit is named. */
  tag(name: string, options?: { readonly message?: string; readonly at?: string }): Promise<void>;
  /** Creates the branch at a commit (default HEAD) and checks it out. */
  branch(name: string, at?: string): Promise<void>;
  /** Any git command in this repository; returns its standard output without the last newline. */
  git(...args: readonly string[]): Promise<string>;
}

/**
 * A new repository with a work tree. Names and times are fixed and nothing of the user's configuration counts,
 * so that the same calls give the same hashes everywhere; each commit is a minute later than the one before.
 */
export async function makeRepository(path: string, options: { branch?: string } = {}): Promise<Repository> {
  mkdirSync(path, { recursive: true });
  let minutes = 0;
  const git = async (...args: readonly string[]): Promise<string> =>
    (await command(['git', ...args], { cwd: path, env: gitEnv(minutes) })).replace(/\n$/, '');
  await git('init', '-q', '-b', options.branch ?? 'main');
  return {
    path,
    git,
    commit: async (message, files = {}) => {
      minutes++;
      for (const [name, content] of Object.entries(files)) writeEntry(join(path, name), content);
      await git('add', '-A');
      await git('commit', '-q', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD');
    },
    tag: async (name, { message, at } = {}) => {
      await git('tag', ...(message === undefined ? [] : ['-a', '-m', message]), name, at ?? 'HEAD');
    },
    branch: async (name, at) => {
      await git('checkout', '-q', '-b', name, at ?? 'HEAD');
    },
  };
}

/** A bare copy of a repository, all its refs included, as a server would hold it. */
export async function makeBareCopy(repository: Repository, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  await command(['git', 'clone', '-q', '--mirror', repository.path, path], { env: gitEnv(0) });
}

/** The environment of every git that tests run themselves: no configuration, no prompt, one author and one clock. */
export function gitEnv(minutes = 0): Record<string, string> {
  const when = `${1_700_000_000 + minutes * 60} +0000`;
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'A Maintainer',
    GIT_AUTHOR_EMAIL: 'maintainer@example.org',
    GIT_AUTHOR_DATE: when,
    GIT_COMMITTER_NAME: 'A Maintainer',
    GIT_COMMITTER_EMAIL: 'maintainer@example.org',
    GIT_COMMITTER_DATE: when,
  };
}

function writeEntry(path: string, content: Files[string]): void {
  if (content === null || content === undefined) {
    rmSync(path, { force: true, recursive: true });
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  const plain = typeof content === 'string' || Buffer.isBuffer(content);
  writeFileSync(path, plain ? content : content.content, { mode: plain ? 0o644 : content.mode });
}
