import { setMaxListeners } from 'node:events';
import { Failure } from '../outcome.ts';
import { readBody, UnfitBody } from './body.ts';
import { brokenBy, reasonOf } from './broken.ts';
import { createConnections } from './connections.ts';
import { excerpt } from './excerpt.ts';
import { type Answer, discard } from './exchange.ts';
import type { Attempt, Http, HttpOptions, HttpRequest, HttpResponse } from './http.ts';
import { allowedUrl, shownUrl } from './origin.ts';
import { type Hop, isRedirect, nextHop } from './redirect.ts';
import { defaultDeadline, isTransientStatus, retryAfter, retrying } from './retry.ts';

const DEFAULT_LIMIT = 8 * 1024 * 1024;
const ERROR_LIMIT = 64 * 1024;
const IDLE = 60_000;

/** The HTTP client of everything that speaks to a server. Nothing is opened before the first request. */
export function createHttp(options: HttpOptions): Http {
  const { clock } = options;
  const closing = new AbortController();
  const ended = either(options.signal, closing.signal);
  // Every request under way listens, and Node would tell the user of a leak after ten of them.
  if (ended !== undefined) setMaxListeners(0, ended);
  const insecure = options.insecure ?? [];
  const redact = options.redact ?? ((text: string) => text);
  const connections = createConnections({
    proxy: options.proxy ?? {},
    connections: options.connections ?? 8,
  });

  async function attempt(request: HttpRequest): Promise<Attempt<HttpResponse>> {
    const codes = { unreachable: 'cannot-determine', invalid: 'answer-invalid', ...request.codes } as const;
    const url = allowedUrl(request.url, insecure);
    const what = `${request.method ?? 'GET'} ${shownUrl(url)}`;
    const guard = deadlineGuard(request.deadline ?? defaultDeadline, [ended, request.signal]);
    try {
      return judge(await exchange(request, guard.signal), request);
    } catch (error) {
      if (error instanceof Failure) throw error;
      if (guard.cancelled()) throw new Failure('cancelled', undefined, { cause: error });
      if (error instanceof UnfitBody) {
        throw new Failure(codes.invalid, `The answer to ${what} ${error.message}.`, { cause: error });
      }
      const late = guard.signal.aborted;
      const broken = late ? { why: 'no time left', sent: true } : brokenBy(error);
      const why = redact(broken?.why ?? reasonOf(error));
      const failure = new Failure(codes.unreachable, `${what} got no answer: ${why}.`, {
        cause: error,
        host: url.host,
      });
      if (broken === undefined || late || (broken.sent && !isIdempotent(request))) throw failure;
      return {
        again: true,
        why: broken.why,
        last: () => {
          throw failure;
        },
      };
    } finally {
      guard.release();
    }
  }

  /** One request and what it is redirected to. */
  async function exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const code = request.codes?.invalid ?? 'answer-invalid';
    const agent = { 'user-agent': options.userAgent ?? 'knowngood' };
    const encoding = { 'accept-encoding': request.verbatim === true ? 'identity' : 'gzip' };
    let hop: Hop = {
      url: allowedUrl(request.url, insecure),
      method: request.method ?? 'GET',
      headers: { ...agent, ...encoding, ...lowerCase(request.headers ?? {}) },
      authorization: request.authorization,
    };
    for (let followed = 0; ; followed++) {
      const answer = await send(hop, request, signal);
      const location = single(answer.headers.location);
      if (!isRedirect(answer.status, location)) return receive(answer, hop, request, signal);
      await discard(answer.body, ERROR_LIMIT);
      if (followed >= (request.redirects ?? 5)) {
        throw new Failure(code, `${hop.method} ${shownUrl(request.url)} was redirected too often.`);
      }
      hop = nextHop(answer.status, location, hop, { insecure, code });
    }
  }

  function send(hop: Hop, request: HttpRequest, signal: AbortSignal): Promise<Answer> {
    return connections.open(hop.url, {
      method: hop.method,
      headers: {
        ...hop.headers,
        ...(hop.authorization === undefined ? {} : { authorization: hop.authorization }),
      },
      body: request.body,
      signal,
      idle: request.idle ?? IDLE,
    });
  }

  async function receive(
    answer: Answer,
    hop: Hop,
    request: HttpRequest,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const { status } = answer;
    const code = request.codes?.invalid ?? 'answer-invalid';
    const headers = Object.fromEntries(
      Object.entries(answer.headers).map(([name, value]) => [name, single(value) ?? '']),
    );
    const empty = hop.method === 'HEAD' || status === 204 || status === 304;
    const encoding = empty || request.verbatim === true ? undefined : headers['content-encoding'];
    const limit = status < 400 ? (request.limit ?? DEFAULT_LIMIT) : ERROR_LIMIT;
    const body = await readBody(answer.body, { encoding, limit, cut: status >= 400 }).catch((error) => {
      // Of an error the status counts; that its text cannot be read must not hide it.
      if (status < 400 || signal.aborted) throw error;
      return new Uint8Array();
    });
    const text = () => new TextDecoder().decode(body);
    const json = () => {
      try {
        return JSON.parse(text()) as unknown;
      } catch (cause) {
        throw new Failure(code, `${hop.method} ${shownUrl(hop.url)} was not answered with JSON.`, { cause });
      }
    };
    const ok = status >= 200 && status < 300;
    return { status, ok, url: hop.url.href, method: hop.method, headers, body, text, json };
  }

  function judge(response: HttpResponse, request: HttpRequest): Attempt<HttpResponse> {
    const { status } = response;
    // A 429 was not carried out, whatever the method.
    const repeatable = isIdempotent(request) || status === 429;
    const transient = isTransientStatus(status) || request.transient?.(response) === true;
    if (!transient || !repeatable) return { done: response };
    const afterMs = retryAfter(response.headers['retry-after'], clock.now());
    return {
      again: true,
      why: `answered ${status}`,
      ...(afterMs === undefined ? {} : { afterMs }),
      last: () => response,
    };
  }

  return {
    attempt,
    retry: async (what, once) =>
      retrying({ signal: ended, ...what }, { clock, onRetry: options.onRetry }, once),
    async request(request) {
      const { tries, deadline, method = 'GET' } = request;
      const signal = either(ended, request.signal);
      const what = `${method} ${shownUrl(allowedUrl(request.url, insecure))}`;
      const once = (_: number, left: number) => attempt({ ...request, deadline: left });
      return retrying({ what, tries, deadline, signal }, { clock, onRetry: options.onRetry }, once);
    },
    describe(response) {
      const said = excerpt(response.body, redact);
      return `${response.method} ${shownUrl(response.url)} answered ${response.status}${said === '' ? '' : `: ${said}`}`;
    },
    close: async () => {
      // What is still under way was asked for side by side with what failed; nobody waits for it.
      closing.abort();
      connections.close();
    },
  };
}

function either(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  return a !== undefined && b !== undefined ? AbortSignal.any([a, b]) : (a ?? b);
}

function isIdempotent(request: HttpRequest): boolean {
  return request.idempotent ?? !['POST', 'PATCH'].includes(request.method ?? 'GET');
}

/** Aborts when time is up or a caller gives up, and knows which. The timer is a guard, not a measurement. */
function deadlineGuard(ms: number, signals: readonly (AbortSignal | undefined)[]) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, ms);
  const cancelled = () => signals.some((signal) => signal?.aborted === true);
  for (const signal of signals) signal?.addEventListener('abort', abort);
  if (cancelled()) abort();
  return {
    signal: controller.signal,
    cancelled,
    release() {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener('abort', abort);
    },
  };
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
