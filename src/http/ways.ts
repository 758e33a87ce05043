import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { fault } from './broken.ts';
import { certifiedName, endOf, proxyAuthorization, tunnel } from './proxied.ts';

/** How a request reaches its server: what differs between direct and proxied, plain and TLS. */
export interface Way {
  readonly request: typeof plainRequest;
  readonly agent: PlainAgent;
  /** Whom to connect to, and what the request line and the headers need for it. */
  lead(url: URL): WayOptions;
}

export interface WayOptions {
  readonly host: string;
  readonly port: number;
  readonly servername?: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Limits {
  /** Free connections that are kept per origin. */
  readonly kept: number;
  /** Milliseconds for a connection to be made, TLS included. */
  readonly connectMs: number;
  /** Milliseconds that a free connection is kept; a server's own `Keep-Alive` may shorten it. */
  readonly keptMs: number;
  /** Ends tunnels that are being made. */
  readonly signal: AbortSignal;
}

type Connected = ConstructorParameters<typeof PlainAgent>[0];

/** The way to every origin of one protocol, through one proxy or none. */
export function makeWay(protocol: string, proxy: URL | undefined, limits: Limits): Way {
  const options: Connected = { keepAlive: true, maxFreeSockets: limits.kept, timeout: limits.keptMs };
  const secure = protocol === 'https:';
  if (proxy === undefined || secure) {
    return {
      request: secure ? tlsRequest : plainRequest,
      agent: !secure
        ? new PlainConnections(options, limits)
        : proxy === undefined
          ? new TlsConnections(options, limits)
          : new Tunnels(options, limits, proxy),
      lead: (url) => ({ ...endOf(url), path: `${url.pathname}${url.search}`, headers: { host: url.host } }),
    };
  }
  // Plain HTTP goes through a proxy as a request, not a tunnel: many refuse CONNECT to anything but port 443.
  const overTls = proxy.protocol === 'https:';
  return {
    request: overTls ? tlsRequest : plainRequest,
    agent: overTls ? new TlsConnections(options, limits) : new PlainConnections(options, limits),
    lead: (url) => ({
      ...endOf(proxy),
      ...(overTls ? { servername: certifiedName(proxy) } : {}),
      path: `${url.origin}${url.pathname}${url.search}`,
      headers: { host: url.host, ...proxyAuthorization(proxy) },
    }),
  };
}

type Made = ReturnType<PlainAgent['createConnection']>;
type Create = Parameters<TlsAgent['createConnection']>;

class PlainConnections extends PlainAgent {
  readonly #limits: Limits;
  constructor(options: Connected, limits: Limits) {
    super(options);
    this.#limits = limits;
  }
  override createConnection(...[options, done]: Parameters<PlainAgent['createConnection']>): Made {
    return inTime(super.createConnection(options, done), 'connect', this.#limits.connectMs);
  }
}

class TlsConnections extends TlsAgent {
  readonly #limits: Limits;
  constructor(options: Connected, limits: Limits) {
    super(options);
    this.#limits = limits;
  }
  override createConnection(...[options, done]: Create): Made {
    return inTime(super.createConnection(options, done), 'secureConnect', this.#limits.connectMs);
  }
}

class Tunnels extends TlsAgent {
  readonly #limits: Limits;
  readonly #proxy: URL;
  constructor(options: Connected, limits: Limits, proxy: URL) {
    super(options);
    this.#limits = limits;
    this.#proxy = proxy;
  }
  override createConnection(...[options, done]: Create): Made {
    const host = String(options.host);
    const target = `${host.includes(':') ? `[${host}]` : host}:${options.port}`;
    // The types ask for a stream beside an error; Node neither gives nor takes one.
    const ended = done as (error: Error | null, stream?: Made) => void;
    tunnel(this.#proxy, target, this.#limits).then(
      (socket) => {
        const through = { ...options, socket };
        ended(null, inTime(super.createConnection(through), 'secureConnect', this.#limits.connectMs));
      },
      (error: Error) => ended(error),
    );
    return undefined;
  }
}

/** Node waits for a connection as long as the system does, minutes. */
function inTime(stream: Made, made: 'connect' | 'secureConnect', ms: number): Made {
  const socket = stream as Socket;
  const timer = setTimeout(() => socket.destroy(fault('CONNECT_TIMEOUT', 'no connection in time')), ms);
  const stop = () => clearTimeout(timer);
  socket.once(made, stop).once('close', stop);
  return socket;
}
