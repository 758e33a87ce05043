import { type Answer, exchange, type Sent } from './exchange.ts';
import { type ProxySettings, proxyFor } from './proxy.ts';
import { createSlots, type Slots } from './slots.ts';
import { makeWay, type Way } from './ways.ts';

const CONNECT_MS = 15_000;
const KEPT_MS = 15_000;

/** Single requests over kept-alive connections. */
export interface Connections {
  /** The head of the answer; its body must be read or destroyed. Rejects with what broke the connection. */
  open(url: URL, sent: Sent): Promise<Answer>;
  /** Closes everything, also what is under way. */
  close(): void;
}

/**
 * Pools of kept-alive connections: one per protocol and proxy, in it one per origin. The environment is not read here:
 * Node's and other clients' own reading of proxy variables takes NO_PROXY differently from the engines.
 */
export function createConnections(settings: { proxy: ProxySettings; connections: number }): Connections {
  const ways = new Map<string, Way>();
  const origins = new Map<string, Slots>();
  const closing = new AbortController();

  function wayTo(url: URL): Way {
    const proxy = proxyFor(url, settings.proxy);
    return made(ways, `${url.protocol} ${proxy ?? ''}`, () =>
      makeWay(url.protocol, proxy === undefined ? undefined : new URL(proxy), {
        kept: settings.connections,
        connectMs: CONNECT_MS,
        keptMs: KEPT_MS,
        signal: closing.signal,
      }),
    );
  }

  return {
    async open(url, sent) {
      const way = wayTo(url);
      const slots = made(origins, url.origin, () => createSlots(settings.connections));
      await slots.take(sent.signal);
      return exchange(way, url, sent, slots.give);
    },
    close() {
      closing.abort();
      for (const way of ways.values()) way.agent.destroy();
      ways.clear();
    },
  };
}

function made<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}
