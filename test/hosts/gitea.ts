import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from '../../sandbox/command.ts';
import { hostProgram } from './programs.ts';

/** A real Gitea on loopback: forge, git server and container registry at one address. */
export interface Gitea {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** `127.0.0.1:<port>`, as registry. */
  readonly host: string;
  /** Makes a person, and a token of theirs that may do what they may. */
  person(login: string): Promise<{ readonly login: string; readonly token: string }>;
  /** The API as this person; anything but 2xx is an error. */
  api<T>(token: string, method: string, path: string, body?: unknown): Promise<T>;
  /** The last that Gitea's webhooks told of this event in this repository. */
  hook(event: string, slug: string): Promise<Record<string, unknown>>;
  /** Repeats what Gitea answers only after a while. */
  until<T>(ask: () => Promise<T>): Promise<T>;
  /** Where webhooks are received. */
  readonly hooksUrl: string;
  stop(): Promise<void>;
}

const password = 'a-password-for-tests-1';

export async function startGitea(): Promise<Gitea> {
  const { path, source } = hostProgram('gitea')!;
  const root = mkdtempSync(join(tmpdir(), 'knowngood-gitea-'));
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const url = `http://${host}`;
  const config = join(root, 'app.ini');
  for (const folder of ['home', 'data']) mkdirSync(join(root, folder));
  const settings = {
    '': { APP_NAME: 'tests', RUN_MODE: 'prod', I_AM_BEING_UNSAFE_RUNNING_AS_ROOT: 'true', WORK_PATH: root },
    server: {
      ...{ HTTP_ADDR: '127.0.0.1', HTTP_PORT: port, ROOT_URL: `${url}/`, STATIC_ROOT_PATH: source },
      ...{ OFFLINE_MODE: 'true', DISABLE_SSH: 'true', LFS_START_SERVER: 'false' },
    },
    database: { DB_TYPE: 'sqlite3', PATH: join(root, 'data/gitea.db') },
    repository: { ROOT: join(root, 'repositories'), DEFAULT_BRANCH: 'main' },
    security: { INSTALL_LOCK: 'true', SECRET_KEY: 'for-tests-only', PASSWORD_HASH_ALGO: 'pbkdf2_v1' },
    webhook: { ALLOWED_HOST_LIST: 'loopback', DELIVER_TIMEOUT: '5' },
    log: { MODE: 'console', LEVEL: 'Warn' },
    indexer: { ISSUE_INDEXER_TYPE: 'db' },
    cron: { ENABLED: 'false' },
    mailer: { ENABLED: 'false' },
  };
  writeFileSync(config, ini(settings));
  const env = { ...process.env, HOME: join(root, 'home'), GITEA_WORK_DIR: root, USER: 'root' };
  const gitea = (...args: readonly string[]): Promise<string> =>
    command([path, ...args, '--config', config], { cwd: root, env });
  const server = spawn(path, ['web', '--config', config], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(join(root, 'log.txt'));
  server.stdout.pipe(log);
  server.stderr.pipe(log);
  await answering(`${url}/api/v1/version`, server, join(root, 'log.txt'));

  const told: { event: string; body: Record<string, unknown> }[] = [];
  const hooks = createHttp(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    told.push({ event: String(request.headers['x-gitea-event']), body });
    response.end();
  });
  await new Promise<void>((resolve) => hooks.listen(0, '127.0.0.1', resolve));
  const call = async <T>(authorization: string, method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  return {
    url,
    host,
    hooksUrl: `http://127.0.0.1:${(hooks.address() as AddressInfo).port}`,
    person: async (login) => {
      const mail = ['--email', `${login}@example.org`, '--must-change-password=false'];
      await gitea('admin', 'user', 'create', '--username', login, '--password', password, ...mail);
      const basic = `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`;
      const made = { name: 'tests', scopes: ['all'] };
      const { sha1 } = await call<{ sha1: string }>(basic, 'POST', `/users/${login}/tokens`, made);
      return { login, token: sha1 };
    },
    api: (token, method, path, body) => call(`token ${token}`, method, path, body),
    until: patiently,
    hook: (event, slug) =>
      patiently(async () => {
        const found = told.findLast(
          ({ event: name, body }) =>
            name === event && (body.repository as { full_name: string }).full_name === slug,
        );
        if (found === undefined) throw new Error(`Gitea told nothing about ${event} in ${slug}`);
        return found.body;
      }),
    stop: async () => {
      hooks.close();
      const end = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      await end;
    },
  };
}

async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let n = 0; ; n++) {
    try {
      return await ask();
    } catch (cause) {
      if (n === 200) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function ini(
  sections: Readonly<Record<string, Readonly<Record<string, string | number | undefined>>>>,
): string {
  return Object.entries(sections)
    .map(([name, values]) => {
      const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}`);
      return [...(name === '' ? [] : [`[${name}]`]), ...lines, ''].join('\n');
    })
    .join('\n');
}

async function answering(url: string, server: ChildProcess, log: string): Promise<void> {
  for (let n = 0; n < 600 && server.exitCode === null; n++) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Gitea did not start; see ${log}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
