import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logFile, type Run, startProcess } from './run.ts';

export interface RunningRegistry {
  /** `127.0.0.1:<port>`: plain HTTP, which engines accept from loopback. */
  readonly host: string;
  stop(): Promise<void>;
}

/** Starts a registry of the given configuration on a loopback port that the kernel chooses. */
export async function startRegistry(
  run: Run,
  program: readonly string[],
  env: Readonly<Record<string, string>>,
  name: string,
  auth: string[] = [],
): Promise<RunningRegistry> {
  const folder = join(run.folder, name);
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'config.yml');
  writeFileSync(config, [...registryConfig(folder), ...auth, ''].join('\n'));
  const child = startProcess(run, name, [...program, 'serve', config], { env });
  const deadline = Date.now() + 20_000;
  for (;;) {
    const log = readFileSync(logFile(run, name), 'utf8');
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(log)?.[1];
    if (port !== undefined) return { host: `127.0.0.1:${port}`, stop: () => stopChild(child) };
    if (Date.now() > deadline || child.exitCode !== null) {
      throw new Error(`the registry did not start. The end of its log:\n${log.slice(-1500)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const registryConfig = (folder: string): string[] => [
  'version: 0.1',
  'log: { level: info, accesslog: { disabled: false } }',
  'storage:',
  `  filesystem: { rootdirectory: ${JSON.stringify(join(folder, 'storage'))} }`,
  '  delete: { enabled: true }',
  'http:',
  '  addr: 127.0.0.1:0',
];

async function stopChild(child: ReturnType<typeof startProcess>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
