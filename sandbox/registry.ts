import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { command } from './command.ts';
import { faultProxy, type Recorded } from './fault-proxy.ts';
import { logFile, type Run, startProcess } from './run.ts';
import { type Account, type Allow, tokenIssuer } from './token-auth.ts';

export interface RegistryOptions {
  /** `none`: open. `htpasswd`: Basic. `token`: bearer tokens from `/token` of the same host, like GitHub's registry. */
  readonly auth?: 'none' | 'htpasswd' | 'token';
  readonly accounts?: readonly Account[];
  /** With `token`: who gets what; default: accounts everything, anybody `pull` from repositories below `public/`. */
  readonly allow?: Allow;
  /** With `token`: lifetime in seconds; default 300. The registry allows a minute of leeway beyond it. */
  readonly expiresIn?: number;
}

export interface RunningRegistry {
  /** `127.0.0.1:<port>`: plain HTTP, which engines accept from loopback. */
  readonly host: string;
  /** The first account, where the registry asks for one. */
  readonly account: Account;
  readonly accounts: readonly Account[];
  /** With `token`: everything that was asked, `/token` too. */
  readonly requests: readonly Recorded[];
  stop(): Promise<void>;
}

export const defaultAccount: Account = { username: 'robot', password: 'pass-word.of:robot' };

/** Starts a registry (the distribution's docker-registry) on a loopback port that the kernel chooses. */
export async function startRegistry(
  run: Run,
  env: Readonly<Record<string, string>>,
  options: RegistryOptions = {},
): Promise<RunningRegistry> {
  const folder = mkdtempSync(join(run.folder, 'registry-'));
  const accounts = options.accounts ?? [defaultAccount];
  const account = accounts[0] ?? defaultAccount;
  if (options.auth === 'htpasswd') {
    const file = join(folder, 'htpasswd');
    const lines = await Promise.all(accounts.map((one) => htpasswdLine(one)));
    writeFileSync(file, lines.join(''));
    const server = await serve(run, folder, env, { htpasswd: { realm: 'sandbox', path: file } });
    return { ...server, account, accounts, requests: [] };
  }
  if (options.auth === 'token') {
    const allow =
      options.allow ??
      ((who, name, action) => who !== undefined || (action === 'pull' && /^public\//.test(name)));
    const issuer = await tokenIssuer(join(folder, 'token'), accounts, allow, options.expiresIn ?? 300, env);
    // The realm is on the host that clients talk to, which must therefore be known before the registry starts.
    let target = '';
    const front = await faultProxy(() => target, { intercept: (request) => issuer.answer(request) });
    const { service, issuer: name, certificate } = issuer;
    const token = { realm: `http://${front.host}/token`, service, issuer: name, rootcertbundle: certificate };
    const server = await serve(run, folder, env, { token });
    target = server.host;
    const stop = async () => {
      await front.stop();
      await server.stop();
    };
    return { host: front.host, account, accounts, requests: front.requests, stop };
  }
  const server = await serve(run, folder, env, undefined);
  return { ...server, account, accounts: [], requests: [] };
}

async function serve(
  run: Run,
  folder: string,
  env: Readonly<Record<string, string>>,
  auth: object | undefined,
): Promise<{ host: string; stop(): Promise<void> }> {
  const name = basename(folder);
  const storage = join(folder, 'storage');
  mkdirSync(storage);
  const config = join(folder, 'config.yml');
  // JSON is YAML.
  const settings = {
    version: 0.1,
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: '127.0.0.1:0' },
    ...(auth ? { auth } : {}),
  };
  writeFileSync(config, JSON.stringify(settings));
  const child = startProcess(run, name, ['docker-registry', 'serve', config], { env });
  const deadline = Date.now() + 20_000;
  for (;;) {
    const log = readFileSync(logFile(run, name), 'utf8');
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(log)?.[1];
    if (port !== undefined) return { host: `127.0.0.1:${port}`, stop: () => ended(child) };
    if (Date.now() > deadline || child.exitCode !== null) {
      throw new Error(`the registry did not start. The end of its log:\n${log.slice(-1500)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The registry knows bcrypt only, which neither Node nor openssl has; perl's crypt is the C library's. */
async function htpasswdLine({ username, password }: Account): Promise<string> {
  const program = 'print crypt($ENV{PASSWORD}, q($2y$05$abcdefghijklmnopqrstuu))';
  const hash = await command(['perl', '-e', program], { env: { ...process.env, PASSWORD: password } });
  return `${username}:${hash.trim()}\n`;
}

async function ended(child: ReturnType<typeof startProcess>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await end;
}
