import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import type { GitCredential } from '../../../src/git/environment.ts';
import { createGit, type Git } from '../../../src/git/git.ts';

const folders: string[] = [];

/** A fresh folder that is removed after the tests of this file. */
export function temporaryFolder(name = 'knowngood-git-'): string {
  const folder = mkdtempSync(join(tmpdir(), name));
  folders.push(folder);
  return folder;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Our own runner in a scratch folder of its own. */
export function ourGit(
  options: {
    credentials?: GitCredential[];
    environment?: NodeJS.ProcessEnv;
    timeoutMs?: number;
    signal?: AbortSignal;
  } = {},
): Git {
  return createGit({
    scratch: temporaryFolder('knowngood-scratch-'),
    environment: options.environment ?? process.env,
    credentials: options.credentials ?? [],
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** A repository made by a person, with that person's ordinary git. */
export interface Repository {
  readonly folder: string;
  git(...args: string[]): string;
  write(files: Record<string, string | Uint8Array>): void;
  /** Writes the files, commits everything, and returns the commit. */
  commit(files?: Record<string, string | Uint8Array>, message?: string): string;
}

let clock = 1_700_000_000;

export function repository(
  folder = temporaryFolder(),
  options: { bare?: boolean; clone?: string } = {},
): Repository {
  const git = (...args: string[]): string => {
    clock += 1;
    const result = spawnSync('git', args, {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: '/nonexistent',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'A',
        GIT_AUTHOR_EMAIL: 'a@example.org',
        GIT_AUTHOR_DATE: `@${clock} +0000`,
        GIT_COMMITTER_NAME: 'A',
        GIT_COMMITTER_EMAIL: 'a@example.org',
        GIT_COMMITTER_DATE: `@${clock} +0000`,
        GIT_ALLOW_PROTOCOL: 'file:http',
      },
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
    return result.stdout.trim();
  };
  if (options.clone === undefined)
    git('init', '-q', '-b', 'main', ...(options.bare === true ? ['--bare'] : []), '.');
  else git('clone', '-q', options.clone, '.');
  const write = (files: Record<string, string | Uint8Array>): void => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
  };
  return {
    folder,
    git,
    write,
    commit: (files = {}, message = 'change') => {
      write(files);
      git('add', '-A');
      git('commit', '-q', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD');
    },
  };
}

/**
 * A bare repository of this many releases, one commit each, every second tag annotated: made with fast-import,
 * because thousands of single git calls would take minutes.
 */
export function manyReleases(folder: string, count: number, tagOf: (index: number) => string): void {
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', folder]);
  const lines: string[] = [];
  for (let index = 0; index < count; index++) {
    const who = `A <a@example.org> ${1_600_000_000 + index} +0000`;
    lines.push(
      'commit refs/heads/main',
      `mark :${index + 1}`,
      `committer ${who}`,
      'data 1',
      'x',
      `M 100644 inline version`,
      `data ${tagOf(index).length}`,
      tagOf(index),
    );
    if (index % 2 === 0) lines.push(`reset refs/tags/${tagOf(index)}`, `from :${index + 1}`, '');
    else lines.push(`tag ${tagOf(index)}`, `from :${index + 1}`, `tagger ${who}`, 'data 1', 'x');
  }
  execFileSync('git', ['fast-import', '--quiet'], { cwd: folder, input: `${lines.join('\n')}\n` });
  execFileSync('git', ['pack-refs', '--all'], { cwd: folder });
}
