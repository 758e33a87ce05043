import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asRoot, tryCommand } from './command.ts';
import { withLock } from './lock.ts';
import { projectRoot, runFolder, sandboxFolder } from './paths.ts';

/** What one running sandbox has on this machine: a folder, a folder for sockets, and an id that all its processes carry. */
export interface RunPlace {
  readonly id: string;
  readonly folder: string;
  /** Short, since the path of a unix socket ends after 107 bytes. */
  readonly sockets: string;
}

export interface Run extends RunPlace {
  remove(): Promise<void>;
}

const cleaner = join(projectRoot, 'sandbox', 'clean.sh');

/** Begins a run after removing what runs without an owner have left. `privileged`: its processes belong to root. `env` finds the programs. */
export async function beginRun(privileged: boolean, env: Readonly<Record<string, string>>): Promise<Run> {
  await withLock(join(sandboxFolder, 'locks', 'sweep.lock'), sweep);
  const sockets = mkdtempSync(join(tmpdir(), 'kg-'));
  const id = `kg-${process.pid}-${sockets.slice(-6).toLowerCase()}`;
  const folder = join(runFolder, id);
  // The owner is written first: a folder without one is a sandbox that is being made or removed by nobody.
  mkdirSync(join(folder, 'log'), { recursive: true });
  writeFileSync(join(folder, 'owner'), `${process.pid} ${startTime(process.pid)}\n`);
  writeFileSync(join(folder, 'sockets'), `${sockets}\n`);
  writeFileSync(join(folder, 'environment'), shellExports(env));
  if (privileged) writeFileSync(join(folder, 'privileged'), '');
  const watcher = watch(folder, privileged);
  const remove = async () => {
    watcher.kill('SIGKILL');
    const cleaned = await tryCommand(cleaning(folder, privileged));
    if (cleaned.code !== 0)
      throw new Error(`the sandbox ${id} could not be removed: ${cleaned.stderr.trim()}`);
  };
  return { id, folder, sockets, remove };
}

/** A run that another process owns: more can be started in it, and its owner removes it. */
export function sameRun(place: RunPlace): Run {
  return { ...place, remove: async () => {} };
}

/** Starts a process that outlives a killed owner until it is cleaned up; its output goes to `log/<name>.log`. */
export function startProcess(
  run: Run,
  name: string,
  argv: readonly string[],
  options: { root?: boolean; env?: Readonly<Record<string, string>> } = {},
): ChildProcess {
  const env = { KNOWNGOOD_SANDBOX_RUN: run.id, ...options.env };
  const log = openSync(logFile(run, name), 'a');
  const [file, ...rest] = options.root ? asRoot(argv, env) : argv;
  const child = spawn(file!, rest, {
    cwd: run.folder,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.on('error', () => {});
  child.unref();
  return child;
}

export const logFile = (run: Run, name: string): string => join(run.folder, 'log', `${name}.log`);

/** Removes every sandbox of this checkout whose owner is gone. */
async function sweep(): Promise<void> {
  if (!existsSync(runFolder)) return;
  for (const name of readdirSync(runFolder)) {
    const folder = join(runFolder, name);
    if (ownerLives(folder)) continue;
    await tryCommand(cleaning(folder, existsSync(join(folder, 'privileged'))));
  }
}

function ownerLives(folder: string): boolean {
  try {
    const [pid, started] = readFileSync(join(folder, 'owner'), 'utf8').trim().split(' ');
    return startTime(Number(pid)) === started;
  } catch {
    return false;
  }
}

/** A process's start time in clock ticks since boot: with the pid it names one process for ever. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return 'gone';
  }
}

/** Cleans up as soon as the owner ends without having done so: its end of the pipe closes with it. */
function watch(folder: string, privileged: boolean): ChildProcess {
  const watcher = spawn('sh', ['-c', 'cat >/dev/null; exec "$@"', 'watch', ...cleaning(folder, privileged)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.unref();
  (watcher.stdin as unknown as { unref?: () => void }).unref?.();
  return watcher;
}

const cleaning = (folder: string, privileged: boolean): string[] => {
  const argv = ['sh', cleaner, folder];
  return privileged ? asRoot(argv) : argv;
};

const shellExports = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join('');
