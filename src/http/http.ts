import type { ReasonCode } from '../reasons.ts';
import type { Clock } from './clock.ts';
import type { ProxySettings } from './proxy.ts';
import type { Again, Attempt } from './retry.ts';

/** What a request sends: text, bytes, or a stream that can be opened again for the next try. */
export type RequestBody = string | Uint8Array | { readonly size: number; open(): NodeJS.ReadableStream };

export interface HttpRequest {
  readonly url: string;
  /** Default `GET`. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The `Authorization` header: goes to the origin of `url` and to no other, whatever redirects say. */
  readonly authorization?: string;
  readonly body?: RequestBody;
  /** Decoded bytes that a successful answer may have; default 8 MiB. More is a Failure. */
  readonly limit?: number;
  /** Tries in all; default 6. */
  readonly tries?: number;
  /** Whether the request may be sent again when it may have been carried out; default by method, not for POST, PATCH. */
  readonly idempotent?: boolean;
  /** Milliseconds for all tries together; default 5 minutes. */
  readonly deadline?: number;
  /** Milliseconds without a byte from the server; default 60 seconds. */
  readonly idle?: number;
  /** Redirects that are followed; default 5. */
  readonly redirects?: number;
  /** Bytes exactly as they come, for what is verified by digest; else gzip is asked for and decoded. */
  readonly verbatim?: boolean;
  /** Answers that are worth another try beside 408, 429 and 5xx. */
  readonly transient?: (response: HttpResponse) => boolean;
  readonly signal?: AbortSignal;
  readonly codes?: HttpCodes;
}

/** Codes of the Failures of a request; default `cannot-determine` and `answer-invalid`. */
export interface HttpCodes {
  /** No answer came: no connection, no name, no trust, no time. */
  readonly unreachable?: ReasonCode;
  /** An answer came that we do not accept: too large, redirected elsewhere, undecodable. */
  readonly invalid?: ReasonCode;
}

/** An answer of any status: what a status means is the caller's knowledge. */
export interface HttpResponse {
  readonly status: number;
  readonly ok: boolean;
  /** Where the answer came from, after redirects. */
  readonly url: string;
  readonly method: string;
  /** Names in lower case; several of one name joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Complete where the status is below 400, else at most the first 64 KiB. */
  readonly body: Uint8Array;
  text(): string;
  /** Fails with the request's code for invalid answers where the body is no JSON. */
  json(): unknown;
}

/** HTTP for registries, forges and git alike. */
export interface Http {
  /**
   * Sends a request until an answer comes that is not transient, or tries and time are used up; then gives the last
   * answer. Fails where no answer came or none that we accept, and with `cancelled` when the signal aborts.
   */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** One try, for callers that plan their own next one. `again` says why there could be one. */
  attempt(request: HttpRequest): Promise<Attempt<HttpResponse>>;
  /** The same waiting between tries for what is more than one request. */
  retry<T>(what: RetryOptions, once: (attempt: number, left: number) => Promise<Attempt<T>>): Promise<T>;
  /** `PUT https://host/path answered 503: <first 200 characters, masked>`, for messages. */
  describe(response: HttpResponse): string;
  /** Closes what is open; the process ends without it too. */
  close(): Promise<void>;
}

export interface RetryOptions {
  /** For `onRetry` and messages: `PUT https://host/path`. */
  readonly what: string;
  readonly tries?: number | undefined;
  readonly deadline?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One try that failed and will be repeated; for the log. */
export interface Retry extends Again {
  readonly what: string;
  /** The try that failed, 1-based, and how many there are at most. */
  readonly attempt: number;
  readonly tries: number;
  readonly waitMs: number;
}

export interface HttpOptions {
  readonly clock: Clock;
  readonly proxy?: ProxySettings;
  /** Hosts (`host:port` as in the URL) that may be spoken to over plain HTTP beside loopback ones. */
  readonly insecure?: readonly string[];
  readonly userAgent?: string;
  /** Masks secrets in text that is shown. */
  readonly redact?: (text: string) => string;
  readonly onRetry?: (retry: Retry) => void;
  /** Connections to one origin; default 8. */
  readonly connections?: number;
  /** Aborts everything: the run's own signal. */
  readonly signal?: AbortSignal;
}

export type { Attempt } from './retry.ts';
