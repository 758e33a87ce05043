import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DescribedApi, Operation } from './described-api.ts';

export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
  status: number;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** What is known to be otherwise than the description says. */
  readonly beyond?: RegExp;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a handler is asked: the operation's parameters, query and body. */
export interface Asked {
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
}

export type Handlers = Readonly<Record<string, (asked: Asked) => Answer | Promise<Answer>>>;

export interface ForgeFault {
  readonly method?: string;
  readonly path: RegExp;
  readonly times?: number;
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ForgeServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Where a request, or an answer of this server itself, was not as the forge describes it. Must stay empty. */
  readonly deviations: readonly string[];
  fault(fault: ForgeFault): void;
  /** Waits before each matching answer until it is let go: for runs that must overlap. */
  hold(path: RegExp): () => void;
  stop(): Promise<void>;
}

export interface ForgeServerOptions {
  readonly api: DescribedApi;
  /** Below which path the API is: `/api/v3`. */
  readonly root: string;
  readonly token: string;
  /** `Bearer`, `token`: how this forge wants the token written. */
  readonly schemes: readonly string[];
  readonly handlers: Handlers;
  /** Paths outside the description, by method and path. */
  readonly besides?: Handlers;
}

/**
 * A forge on loopback. Each request must be one that the forge's description has, and so must each answer; anything
 * else is answered 599 and noted.
 */
export async function forgeServer(options: ForgeServerOptions): Promise<ForgeServer> {
  const { api, root, handlers } = options;
  const requests: SeenRequest[] = [];
  const deviations: string[] = [];
  const faults: { fault: ForgeFault; left: number }[] = [];
  const holds: { path: RegExp; until: Promise<void> }[] = [];

  const answerTo = async (seen: SeenRequest, url: URL): Promise<Answer> => {
    const fault = faults.find(
      ({ fault: { method, path }, left }) =>
        left > 0 && (method === undefined || method === seen.method) && path.test(seen.path),
    );
    if (fault !== undefined) {
      fault.left--;
      return fault.fault;
    }
    const asked = {
      query: url.searchParams,
      parameters: {},
      body: (seen.body ?? {}) as Asked['body'],
    };
    const besides = options.besides?.[`${seen.method} ${url.pathname}`];
    if (besides !== undefined) return besides(asked);
    const deviate = (what: string): Answer => {
      deviations.push(`${seen.method} ${seen.path}: ${what}`);
      return { status: 599, body: { message: what } };
    };
    if (!url.pathname.startsWith(`${root}/`)) return deviate('not below the API');
    const matched = api.match(seen.method, url.pathname.slice(root.length), url.searchParams, seen.body);
    if (matched === undefined) return deviate(`not in ${api.source}`);
    if (matched.faults.length > 0) return deviate(matched.faults.join('; '));
    const accepted = options.schemes.map((scheme) => `${scheme} ${options.token}`.toLowerCase());
    if (!accepted.includes(seen.authorization?.toLowerCase() ?? '')) {
      return { status: 401, body: { message: 'Bad credentials' } };
    }
    const { operation } = matched;
    const handler = handlers[`${operation.method} ${operation.path}`];
    if (handler === undefined) return deviate('this double has no answer');
    const answer = await handler({ ...asked, parameters: matched.parameters });
    return complete(operation, answer, deviate);
  };

  const complete = (operation: Operation, answer: Answer, deviate: (what: string) => Answer): Answer => {
    // Refusals that are the same everywhere (401, 403) are in no description of an operation.
    if (answer.status >= 400 && operation.responses[answer.status] === undefined) return answer;
    const body = answer.status < 300 ? api.answer(operation, answer.status, answer.body) : answer.body;
    const wrong = (answer.status < 300 ? api.answerFaults(operation, answer.status, body) : []).filter(
      (fault) => answer.beyond?.test(fault) !== true,
    );
    return wrong.length > 0 ? deviate(wrong.slice(0, 5).join('; ')) : { ...answer, body };
  };

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const text = await bodyOf(incoming);
    const path = incoming.url ?? '/';
    const seen: SeenRequest = {
      method: incoming.method ?? '',
      path,
      authorization: incoming.headers.authorization,
      body: text === '' ? undefined : JSON.parse(text),
      status: 0,
    };
    requests.push(seen);
    for (const held of holds.filter((one) => one.path.test(path))) await held.until;
    const answer = await answerTo(seen, new URL(path, 'http://forge'));
    seen.status = answer.status;
    outgoing.writeHead(answer.status, {
      ...(answer.body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
      ...answer.headers,
    });
    outgoing.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  };

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((error: unknown) => {
      deviations.push(String(error));
      incoming.socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    deviations,
    fault: (fault) => {
      faults.push({ fault, left: fault.times ?? 1 });
    },
    hold: (path) => {
      let release = (): void => undefined;
      const until = new Promise<void>((resolve) => {
        release = resolve;
      });
      const held = { path, until };
      holds.push(held);
      return () => {
        holds.splice(holds.indexOf(held), 1);
        release();
      };
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** One page of a list, as `page` and `per_page` or `limit` ask; `most` is the largest page that the forge gives. */
export function pageOf<T>(items: readonly T[], query: URLSearchParams, most: number): T[] {
  const size = Math.min(Number(query.get('per_page') ?? query.get('limit') ?? 30), most);
  const page = Number(query.get('page') ?? 1);
  return items.slice((page - 1) * size, page * size);
}
