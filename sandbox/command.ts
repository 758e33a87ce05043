import { spawn } from 'node:child_process';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Buffer;
}

/** Runs a command to its end; never rejects because of an exit code (a command that is not there has code 127). */
export function tryCommand(argv: readonly string[], options: CommandOptions = {}): Promise<Ran> {
  const [file, ...rest] = argv;
  return new Promise((resolve) => {
    const child = spawn(file!, rest, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8');
    child.on('error', (cause) => resolve({ code: 127, stdout: text(out), stderr: String(cause) }));
    child.on('close', (code) => resolve({ code: code ?? 128, stdout: text(out), stderr: text(err) }));
  });
}

/** Runs a command and returns its standard output; an exit code other than 0 is an error that quotes the end of stderr. */
export async function command(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const ran = await tryCommand(argv, options);
  if (ran.code !== 0) {
    const said = (ran.stderr || ran.stdout).trim().slice(-2000);
    throw new Error(`${argv.join(' ')} ended with ${ran.code}: ${said}`);
  }
  return ran.stdout;
}

/** The same command as root: as it is, or through sudo, which keeps no environment, so that this is passed on by name. */
export function asRoot(argv: readonly string[], env: Readonly<Record<string, string>> = {}): string[] {
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  return [...sudo, ...(assignments.length > 0 ? ['env', ...assignments] : []), ...argv];
}

/** Whether this process can become root without asking anybody. */
export async function canBeRoot(): Promise<boolean> {
  return process.getuid?.() === 0 || (await tryCommand(['sudo', '-n', 'true'])).code === 0;
}
