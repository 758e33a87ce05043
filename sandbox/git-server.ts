import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Account, basic } from './token-auth.ts';

export interface GitServerOptions {
  /** Basic credentials that are asked for: to read and write, or with `openToRead` to write only. */
  readonly accounts?: readonly Account[];
  readonly openToRead?: boolean;
  /** Further configuration of the serving git, as `uploadpack.allowAnySHA1InWant: 'true'`. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface GitRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly service: 'git-upload-pack' | 'git-receive-pack' | undefined;
  readonly authorization: string | undefined;
  readonly protocol: string | undefined;
  status?: number;
}

/** What the server does to matching requests: `cut-after` lets git act and loses the answer. */
export interface GitFault {
  readonly path?: RegExp;
  readonly service?: GitRequest['service'];
  readonly method?: string;
  /** Default 1. */
  readonly times?: number;
  readonly delayMs?: number;
  readonly how?: 'cut-after' | 'reset' | { readonly status: number; readonly body?: string };
}

export interface GitServer {
  /** `http://127.0.0.1:<port>`; a repository `<root>/a/b.git` is `<url>/a/b.git`. */
  readonly url: string;
  readonly requests: readonly GitRequest[];
  fault(fault: GitFault): void;
  clear(): void;
  stop(): Promise<void>;
}

/** Serves every repository below `root` with git's own smart HTTP (`git http-backend`) on loopback, to fetch and push. */
export async function gitServer(root: string, options: GitServerOptions = {}): Promise<GitServer> {
  const requests: GitRequest[] = [];
  let faults: { fault: GitFault; left: number }[] = [];
  const turns = turnstile(24);

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const url = new URL(incoming.url ?? '/', 'http://git');
    const named = url.searchParams.get('service') ?? url.pathname.split('/').at(-1);
    const service = named === 'git-upload-pack' || named === 'git-receive-pack' ? named : undefined;
    const asked: GitRequest = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      service,
      authorization: incoming.headers.authorization,
      protocol: header(incoming, 'git-protocol'),
    };
    requests.push(asked);
    const entry = faults.find(
      ({ fault, left }) =>
        left > 0 &&
        (!fault.path || fault.path.test(asked.path)) &&
        (!fault.service || fault.service === service) &&
        (!fault.method || fault.method === asked.method),
    );
    if (entry) entry.left--;
    const fault = entry?.fault;
    if (fault?.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    if (fault?.how === 'reset') {
      incoming.socket.resetAndDestroy();
      return;
    }
    const tell = (status: number, body: string, headers: Record<string, string> = {}) => {
      asked.status = status;
      incoming.resume();
      outgoing.writeHead(status, headers).end(body);
    };
    if (typeof fault?.how === 'object') return tell(fault.how.status, fault.how.body ?? '');
    const user = basic(asked.authorization);
    const known = options.accounts?.some(
      (one) => one.username === user?.username && one.password === user.password,
    );
    if (options.accounts && !known && !(options.openToRead && !user && service !== 'git-receive-pack')) {
      return tell(401, 'who are you?\n', { 'www-authenticate': 'Basic realm="sandbox"' });
    }
    await turns(() =>
      backend(root, options.config ?? {}, url, user, incoming, outgoing, asked, fault?.how === 'cut-after'),
    );
  };

  const server = createServer((incoming, outgoing) => {
    incoming.on('error', () => {});
    outgoing.on('error', () => {});
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1024, resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fault: (fault) => {
      faults.push({ fault, left: fault.times ?? 1 });
    },
    clear: () => {
      faults = [];
      requests.length = 0;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** One request to `git http-backend` by the rules of CGI. */
function backend(
  root: string,
  config: Readonly<Record<string, string>>,
  url: URL,
  user: Account | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  asked: GitRequest,
  cut: boolean,
): Promise<void> {
  const settings = Object.entries({ 'http.receivepack': 'true', 'safe.directory': '*', ...config });
  const given = settings.flatMap(([key, value], n) => [
    [`GIT_CONFIG_KEY_${n}`, key],
    [`GIT_CONFIG_VALUE_${n}`, value],
  ]);
  const optional = (name: string, value: string | undefined) =>
    value === undefined ? {} : { [name]: value };
  const child = spawn('git', ['http-backend'], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: root,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_COUNT: String(settings.length),
      ...Object.fromEntries(given),
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REMOTE_ADDR: '127.0.0.1',
      REQUEST_METHOD: asked.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      ...optional('REMOTE_USER', user?.username),
      ...optional('CONTENT_TYPE', incoming.headers['content-type']),
      ...optional('CONTENT_LENGTH', incoming.headers['content-length']),
      ...optional('HTTP_CONTENT_ENCODING', incoming.headers['content-encoding']),
      ...optional('GIT_PROTOCOL', asked.protocol),
    },
  });
  child.stdin.on('error', () => {});
  incoming.pipe(child.stdin);
  return new Promise((resolve, reject) => {
    let head: Buffer | undefined = Buffer.alloc(0);
    child.on('error', reject);
    child.stdout.on('data', (chunk: Buffer) => {
      if (cut) return;
      if (head === undefined) {
        outgoing.write(chunk);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const fields = head.subarray(0, end).toString().split('\r\n');
      const pairs = fields
        .map((field) => /^([^:]+):\s*(.*)$/.exec(field))
        .flatMap((m) => (m ? [[m[1]!, m[2]!]] : []));
      const { Status: status, ...headers } = Object.fromEntries(pairs) as Record<string, string>;
      asked.status = Number.parseInt(status ?? '200', 10);
      outgoing.writeHead(asked.status, headers);
      outgoing.write(head.subarray(end + 4));
      head = undefined;
    });
    child.on('close', () => {
      if (cut) incoming.socket.resetAndDestroy();
      else if (head === undefined) outgoing.end();
      else outgoing.writeHead(500).end();
      resolve();
    });
  });
}

function header(incoming: IncomingMessage, name: string): string | undefined {
  const value = incoming.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Lets at most `places` bodies run at once: a thousand requests must not become a thousand processes. */
function turnstile(places: number): <T>(body: () => Promise<T>) => Promise<T> {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (body) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await body();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
