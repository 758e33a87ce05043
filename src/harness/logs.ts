import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { type Channel, demultiplexer } from './demux.ts';
import { type LogFile, logFile, type Redactor } from './log-file.ts';

/** Of each file. */
export const LOG_CAP = 10 * 1024 * 1024;
/** Lines of a container that a person is shown when it failed. */
export const LAST_LINES = 50;
/** What the engine itself may keep of a container's output, so that a flood does not fill its disk. */
export const ENGINE_LOG = { Type: 'json-file', Config: { 'max-size': '16m', 'max-file': '2' } } as const;

export interface Masking {
  redact(text: string): string;
  stream(): Redactor;
}

/** One container's entry in logs.json. */
export interface LogEntry {
  readonly container: string;
  readonly service: string;
  readonly phase: string;
  readonly startedAt: string;
  durationMs?: number;
  exitCode?: number;
  readonly files: Partial<
    Record<Channel, { file: string; bytes: number; truncated: boolean; incomplete?: string }>
  >;
}

/**
 * The output of everything that ran, in `<out>/logs/`: a file per container and channel, and logs.json with start,
 * duration, exit code and what was cut.
 */
export interface LogBook {
  readonly folder: string;
  /** Follows a container's output until it ends; once, however often it is asked. `phase` is like `upgrade-base`. */
  follow(
    docker: Docker,
    container: { id: string; name: string; service: string; tty?: boolean },
    phase: string,
  ): void;
  /** Output of something that is no container: compose, host commands. */
  record(
    phase: string,
    service: string,
  ): { write(channel: Channel, bytes: Buffer): void; end(exitCode?: number): Promise<void> };
  /** Notes how a container ended, for logs.json. */
  ended(id: string, exitCode: number): void;
  /** The engine's last lines of a container, masked; both channels in the engine's order. */
  lastLines(docker: Docker, id: string): Promise<string[]>;
  redact(text: string): string;
  /** Waits for followers whose containers are gone, then writes logs.json. */
  close(): Promise<void>;
}

export function openLogBook(out: string, masking: Masking, now: () => Date): LogBook {
  const folder = join(out, 'logs');
  mkdirSync(folder, { recursive: true });
  const entries: LogEntry[] = [];
  const stems = new Map<string, number>();
  const byId = new Map<string, LogEntry>();
  const following = new Map<string, { done: Promise<void>; stop: AbortController }>();

  const stemOf = (phase: string, service: string): string => {
    const wish = `${phase}-${service}`.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 120);
    const count = (stems.get(wish) ?? 0) + 1;
    stems.set(wish, count);
    return count === 1 ? wish : `${wish}-${count}`;
  };
  const sheet = (phase: string, service: string, container: string) => {
    const stem = stemOf(phase, service);
    const started = now();
    const entry: LogEntry = { container, service, phase, startedAt: started.toISOString(), files: {} };
    entries.push(entry);
    const files: Partial<Record<Channel, LogFile>> = {};
    let closed = false;
    return {
      entry,
      write(channel: Channel, bytes: Buffer): Promise<boolean> {
        const file =
          files[channel] ?? logFile(join(folder, `${stem}.${channel}.log`), LOG_CAP, masking.stream());
        files[channel] = file;
        return file.write(bytes);
      },
      full: () => (['stdout', 'stderr'] as const).some((channel) => files[channel]?.truncated),
      async close(): Promise<void> {
        if (closed) return;
        closed = true;
        entry.durationMs ??= now().getTime() - started.getTime();
        for (const channel of ['stdout', 'stderr'] as const) {
          const file = files[channel];
          if (file === undefined) continue;
          await file.end();
          entry.files[channel] = {
            file: `${stem}.${channel}.log`,
            bytes: file.bytes,
            truncated: file.truncated,
            ...(file.broken === undefined ? {} : { incomplete: file.broken }),
          };
        }
      },
    };
  };

  return {
    folder,
    follow(docker, container, phase) {
      if (following.has(container.id)) return;
      const { entry, ...book } = sheet(phase, container.service, container.name);
      byId.set(container.id, entry);
      const stop = new AbortController();
      const done = (async () => {
        try {
          const stream = await docker
            .getContainer(container.id)
            .logs({ follow: true, stdout: true, stderr: true, abortSignal: stop.signal });
          const pending: [Channel, Buffer][] = [];
          const take = demultiplexer(container.tty === true, (channel, bytes) =>
            pending.push([channel, bytes]),
          );
          for await (const chunk of stream as AsyncIterable<Buffer>) {
            take(chunk);
            for (const [channel, bytes] of pending.splice(0)) await book.write(channel, bytes);
            // Nothing of a flood is read beyond the cap; the engine rotates what it keeps itself.
            if (book.full()) stop.abort();
          }
        } catch {
          // The container or the engine is gone: what was read stands.
        } finally {
          await book.close();
        }
      })();
      following.set(container.id, { done, stop });
    },
    record(phase, service) {
      const book = sheet(phase, service, service);
      let last: Promise<unknown> = Promise.resolve();
      const taken = { stdout: 0, stderr: 0 };
      return {
        write(channel, bytes) {
          // What is beyond the cap is not even queued: a child can be faster than the disk. One chunk more marks the cut.
          if (taken[channel] > LOG_CAP) return;
          taken[channel] += bytes.length;
          last = last.then(() => book.write(channel, bytes));
        },
        async end(exitCode) {
          if (exitCode !== undefined) book.entry.exitCode = exitCode;
          await last;
          await book.close();
        },
      };
    },
    ended(id, exitCode) {
      const entry = byId.get(id);
      if (entry !== undefined) entry.exitCode ??= exitCode;
    },
    async lastLines(docker, id) {
      const bytes = (await docker
        .getContainer(id)
        .logs({ stdout: true, stderr: true, tail: LAST_LINES })) as unknown as Buffer;
      const parts: Buffer[] = [];
      const { Config } = await docker.getContainer(id).inspect();
      demultiplexer(Config.Tty === true, (_, part) => parts.push(part))(bytes);
      return lastLinesOf(masking.redact(Buffer.concat(parts).toString()));
    },
    redact: (text) => masking.redact(text),
    async close() {
      const timer = setTimeout(() => {
        for (const { stop } of following.values()) stop.abort();
      }, 1000);
      await Promise.all([...following.values()].map(({ done }) => done));
      clearTimeout(timer);
      try {
        writeFileSync(join(folder, 'logs.json'), `${JSON.stringify(entries, null, 2)}\n`);
      } catch {
        // A full disk loses the list of logs, not the verdict.
      }
    },
  };
}

/** The last lines of a text, each at most 2,000 characters: a flood may have no line end at all. */
export function lastLinesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.slice(-LAST_LINES).map((line) => (line.length > 2000 ? `${line.slice(0, 2000)}…` : line));
}
