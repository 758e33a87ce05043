import { spawn } from 'node:child_process';
import { Failure } from '../outcome.ts';
import type { Channel } from './demux.ts';
import { type Printed, tailKeeper } from './exec.ts';
import type { Programs } from './site.ts';

export interface ChildRequest {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Between SIGTERM and SIGKILL once the signal fires. */
  readonly graceMs: number;
  readonly write: (channel: Channel, bytes: Buffer) => void;
  readonly signal: AbortSignal;
  /** Keep stdout whole, up to this many bytes. */
  readonly stdoutLimit?: number;
}

export interface Ended extends Printed {
  /** All of stdout where `stdoutLimit` asked for it. */
  readonly stdout: string;
}

/** The longest grace of a program once the run was cancelled. */
const CANCELLED_MS = 1000;

/**
 * Runs a program on the host as a process group of its own, so that what it starts ends with it: SIGTERM, the grace
 * period, SIGKILL. Never through a shell unless the argv says so, never with our environment.
 */
export function runChild(request: ChildRequest): Promise<Ended> {
  const [program, ...rest] = request.argv;
  return new Promise((resolve, reject) => {
    if (request.signal.aborted) return reject(request.signal.reason);
    const child = spawn(program, rest, {
      cwd: request.cwd,
      env: { ...request.env },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const tail = tailKeeper();
    const whole: Buffer[] = [];
    let size = 0;
    let kill: NodeJS.Timeout | undefined;
    const signalGroup = (name: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name);
      } catch {
        // The group is gone already.
      }
    };
    const abort = (): void => {
      signalGroup('SIGTERM');
      // Nobody waits for the end of a cancelled run: the host kills us in a few seconds.
      const cancelled =
        request.signal.reason instanceof Failure && request.signal.reason.code === 'cancelled';
      kill = setTimeout(
        () => signalGroup('SIGKILL'),
        cancelled ? Math.min(CANCELLED_MS, request.graceMs) : request.graceMs,
      );
    };
    request.signal.addEventListener('abort', abort, { once: true });
    for (const channel of ['stdout', 'stderr'] as const) {
      child[channel].on('data', (bytes: Buffer) => {
        tail.add(bytes);
        if (channel === 'stdout' && size < (request.stdoutLimit ?? 0)) {
          whole.push(bytes);
          size += bytes.length;
        }
        request.write(channel, bytes);
      });
    }
    child.stdin.on('error', () => undefined);
    child.stdin.end(request.input);
    child.on('error', (cause: NodeJS.ErrnoException) => {
      request.signal.removeEventListener('abort', abort);
      clearTimeout(kill);
      reject(
        new Failure('compose-missing', `\`${program}\` could not be started: ${cause.message}.`, {
          cause,
          remedy: `Install ${program}, or put it into PATH.`,
        }),
      );
    });
    // A grandchild can hold the pipes open for ever: some moments after the child's own end are enough.
    let late: NodeJS.Timeout | undefined;
    const over = (code: number | null): void => {
      clearTimeout(kill);
      clearTimeout(late);
      request.signal.removeEventListener('abort', abort);
      if (request.signal.aborted) {
        signalGroup('SIGKILL');
        reject(request.signal.reason);
        return;
      }
      resolve({ exitCode: code ?? 137, tail: tail.text(), stdout: Buffer.concat(whole).toString() });
    };
    child.on('exit', (code) => {
      late = setTimeout(() => {
        signalGroup('SIGKILL');
        child.stdout.destroy();
        child.stderr.destroy();
        over(code);
      }, 2000);
    });
    child.on('close', over);
  });
}

/** The environment of a child, built from nothing: where programs are, a home of its own, and what is named. */
export function childEnv(programs: Programs, more: Readonly<Record<string, string>>): Record<string, string> {
  return { PATH: programs.path, HOME: programs.home, LC_ALL: 'C.UTF-8', ...more };
}
