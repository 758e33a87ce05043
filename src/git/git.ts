import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';
import { credentialFor } from './credential.ts';
import { type GitCredential, gitEnvironment, globalConfig } from './environment.ts';
import { gitFailure } from './failures.ts';
import type { Remote } from './remote.ts';

export interface GitSettings {
  /** Absolute folder that is ours alone (mode 0700), outside the checkout; repositories of our own are made in it. */
  readonly scratch: string;
  /** The process's environment; only a short list of names is taken from it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly credentials: readonly GitCredential[];
  /** Longest time of one call; default 5 minutes. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface GitCall {
  /** Subcommand and arguments. Revisions and refs from outside stand after `--end-of-options`. */
  readonly args: readonly string[];
  /** The repository that the call works in; one of our own, except to ask a checkout where its HEAD is. */
  readonly gitDir: string;
  /** Working folder of the process; default the scratch folder. */
  readonly folder?: string;
  /** The only remote that the call may speak to; absent: none at all. */
  readonly remote?: Remote;
  readonly input?: Uint8Array | string;
  /** Most bytes of standard output; default 64 MiB. More is a Failure, never cut short. */
  readonly limitBytes?: number;
  /** Exit codes that are answers; default only 0. */
  readonly accept?: readonly number[];
  /** Let a partial repository of ours fetch what it lacks from `remote`. */
  readonly lazyFetch?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with each chunk of standard output instead of keeping it. */
  readonly onData?: (chunk: Buffer) => void;
}

export interface GitAnswer {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** The runner: argv only, environment from nothing, one transport at a time. */
export interface Git {
  readonly scratch: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /**
   * Runs git. Fails with `git-missing`, `cancelled`, and, where the exit code is not accepted, `git-denied`,
   * `git-unreachable` or `git-failed`.
   */
  run(call: GitCall): Promise<GitAnswer>;
  /** As `run`; standard output as text without the last newline. */
  text(call: GitCall): Promise<string>;
  /** A path in the scratch folder that nothing is at yet. */
  place(name: string): string;
  /** A new empty bare repository of our own in the scratch folder; its path. */
  init(name: string, format?: 'sha1' | 'sha256'): Promise<string>;
}

const DEFAULT_TIMEOUT_MS = 5 * 60_000;
const DEFAULT_LIMIT = 64 * 1024 * 1024;
const STDERR_LIMIT = 64 * 1024;
/** GIT_CONFIG_COUNT came with 2.31; an older git would ignore all our configuration without a word. */
const OLDEST = [2, 31] as const;

/** Makes the runner; touches nothing before the first call. */
export function createGit(settings: GitSettings): Git {
  const home = join(settings.scratch, 'git-home');
  const configFile = join(home, 'config');
  let ready: Promise<void> | undefined;
  let repositories = 0;

  const execute = (call: GitCall): Promise<GitAnswer> =>
    new Promise((resolve, reject) => {
      if (settings.signal?.aborted === true) {
        reject(new Failure('cancelled'));
        return;
      }
      const env = gitEnvironment({
        inherited: settings.environment,
        home,
        globalConfig: configFile,
        gitDir: call.gitDir,
        transport:
          call.remote === undefined ? undefined : call.remote.kind === 'path' ? 'file' : call.remote.kind,
        credential: credentialFor(call.remote, settings.credentials),
        ...(call.lazyFetch === undefined ? {} : { lazyFetch: call.lazyFetch }),
        ...(call.environment === undefined ? {} : { extra: call.environment }),
      });
      const child = spawn('git', [...call.args], {
        cwd: call.folder ?? settings.scratch,
        env,
        // A group of its own: git's transports are children of it and must end with it.
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const limit = call.limitBytes ?? DEFAULT_LIMIT;
      const chunks: Buffer[] = [];
      let size = 0;
      let stderr = '';
      let ended: Failure | undefined;

      const end = (failure: Failure): void => {
        ended ??= failure;
        stop(child.pid, 'SIGTERM');
        setTimeout(() => stop(child.pid, 'SIGKILL'), 2000).unref();
      };
      const command = call.args[0] ?? '';
      const timeout = settings.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      const timer = setTimeout(() => {
        end(
          new Failure(
            'git-unreachable',
            `git ${command} did not end within ${Math.round(timeout / 1000)} s.`,
          ),
        );
      }, timeout);
      const cancel = (): void => end(new Failure('cancelled'));
      settings.signal?.addEventListener('abort', cancel, { once: true });

      child.stdout.on('data', (chunk: Buffer) => {
        if (call.onData !== undefined) {
          call.onData(chunk);
          return;
        }
        size += chunk.length;
        if (size > limit) end(new Failure('git-failed', `git ${command} wrote more than ${limit} bytes.`));
        else chunks.push(chunk);
      });
      child.stderr.on('data', (chunk: Buffer) => {
        stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_LIMIT);
      });
      // A child that ends before it has read its input closes the pipe; its exit code tells the story.
      child.stdin.on('error', () => {});
      child.stdin.end(call.input ?? '');

      const settle = (): void => {
        clearTimeout(timer);
        settings.signal?.removeEventListener('abort', cancel);
      };
      child.on('error', (cause) => {
        settle();
        reject(new Failure('git-missing', undefined, { cause }));
      });
      child.on('close', (code) => {
        settle();
        if (ended !== undefined) reject(ended);
        else if (code !== null && (call.accept ?? [0]).includes(code)) {
          resolve({ code, stdout: Buffer.concat(chunks), stderr });
        } else {
          const remote = call.remote?.url;
          reject(gitFailure({ command, code: code ?? undefined, stderr, remote }));
        }
      });
    });

  const prepare = async (): Promise<void> => {
    await mkdir(home, { recursive: true, mode: 0o700 });
    await writeFile(configFile, globalConfig, { mode: 0o600 });
    const { stdout } = await execute({ args: ['version'], gitDir: home });
    const [, major, minor] = /(\d+)\.(\d+)/.exec(stdout.toString('utf8')) ?? [];
    if (Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1])) {
      throw new Failure(
        'git-missing',
        `git ${major}.${minor} is too old; at least ${OLDEST.join('.')} is needed.`,
      );
    }
  };

  const run = async (call: GitCall): Promise<GitAnswer> => {
    ready ??= prepare();
    await ready;
    return execute(call);
  };

  const place = (name: string): string => {
    repositories += 1;
    return join(settings.scratch, `${name}-${repositories}.git`);
  };

  return {
    scratch: settings.scratch,
    environment: settings.environment,
    run,
    place,
    text: async (call) => (await run(call)).stdout.toString('utf8').replace(/\n$/, ''),
    init: async (name, format = 'sha1') => {
      const gitDir = place(name);
      // No template: it could bring hooks and a configuration of the machine's.
      await run({
        args: [
          'init',
          '--quiet',
          '--bare',
          '--template=',
          '--initial-branch=none',
          `--object-format=${format}`,
          gitDir,
        ],
        gitDir,
      });
      return gitDir;
    },
  };
}

function stop(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}
