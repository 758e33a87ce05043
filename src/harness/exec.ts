import type Docker from 'dockerode';
import { engineFailure } from '../engine/dockerode-failure.ts';
import { type Channel, demultiplexer } from './demux.ts';
import type { ExecText } from './plan.ts';

/** What a command printed, the last part of it, both channels as they came. */
export interface Printed {
  readonly exitCode: number;
  readonly tail: string;
}

const TAIL = 64 * 1024;

/** A shell line in the container's own shell; arguments as they are for images without one. */
export function argvOf(command: ExecText): string[] {
  return typeof command === 'string' ? ['sh', '-c', command] : [...command];
}

/** Keeps the last part of what flows by. */
export function tailKeeper(): { add(bytes: Buffer): void; text(): string } {
  let kept: Buffer[] = [];
  let size = 0;
  return {
    add(bytes) {
      // A copy: a slice would keep the whole chunk that it was cut from.
      kept.push(Buffer.from(bytes.subarray(-TAIL)));
      size += Math.min(bytes.length, TAIL);
      if (size > 4 * TAIL) {
        kept = [Buffer.from(Buffer.concat(kept).subarray(-TAIL))];
        size = TAIL;
      }
    },
    text: () => Buffer.concat(kept).subarray(-TAIL).toString(),
  };
}

/**
 * Runs a command in a running container. Its output is read to the end even where nobody keeps it: a full pipe
 * would stop the command. The engine cannot end an exec; a caller whose signal fires removes the container.
 */
export async function execIn(
  docker: Docker,
  container: string,
  command: ExecText,
  env: Readonly<Record<string, string>>,
  write: (channel: Channel, bytes: Buffer) => void,
  signal: AbortSignal,
): Promise<Printed> {
  try {
    const exec = await docker.getContainer(container).exec({
      Cmd: argvOf(command),
      Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
      AttachStdout: true,
      AttachStderr: true,
      abortSignal: signal,
    });
    const stream = await exec.start({ hijack: true, stdin: false, abortSignal: signal });
    const tail = tailKeeper();
    await drain(stream, false, signal, (channel, bytes) => {
      tail.add(bytes);
      write(channel, bytes);
    });
    // The engine ends the stream a moment before it knows the exit code.
    for (let wait = 5; ; wait *= 2) {
      const { ExitCode, Running } = await exec.inspect({ abortSignal: signal });
      if (ExitCode !== null && !Running) return { exitCode: ExitCode, tail: tail.text() };
      if (wait > 2000) return { exitCode: 137, tail: tail.text() };
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  } catch (cause) {
    throw engineFailure(cause, 'running a command in a container', signal);
  }
}

/** Reads an attached stream to its end, or until the signal fires. */
export function drain(
  stream: NodeJS.ReadableStream,
  tty: boolean,
  signal: AbortSignal,
  emit: (channel: Channel, bytes: Buffer) => void,
): Promise<void> {
  const take = demultiplexer(tty, emit);
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      (stream as NodeJS.ReadableStream & { destroy?: () => void }).destroy?.();
      reject(signal.reason);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    const over = (end: () => void) => () => {
      signal.removeEventListener('abort', abort);
      end();
    };
    stream.on('data', take);
    stream.on('end', over(resolve));
    stream.on('close', over(resolve));
    stream.on('error', (error) => over(() => reject(error))());
  });
}
