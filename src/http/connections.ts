import type { Dispatcher } from 'undici';
import { type ProxySettings, proxyFor } from './proxy.ts';

/** A request of undici's through the pool that leads to a URL. */
export interface Connections {
  open(
    url: URL,
    options: Omit<Dispatcher.RequestOptions, 'origin' | 'path'>,
  ): Promise<Dispatcher.ResponseData>;
  close(): Promise<void>;
}

/**
 * Pools of kept-alive connections, one per way out (direct, or a proxy). undici is loaded at the first request: most
 * steps of a dry run need none. Its own reading of proxy variables is not used, because it reads the environment by
 * itself and NO_PROXY differently from the engines.
 */
export function createConnections(settings: { proxy: ProxySettings; connections: number }): Connections {
  const ways = new Map<string, Promise<Dispatcher>>();
  const pool = { connections: settings.connections, connect: { timeout: 15_000 }, keepAliveTimeout: 15_000 };

  async function make(proxy: string): Promise<Dispatcher> {
    const { Agent, ProxyAgent } = await import('undici');
    // Plain HTTP goes through a proxy as a request, not a tunnel: many refuse CONNECT to anything but port 443.
    return proxy === '' ? new Agent(pool) : new ProxyAgent({ ...pool, uri: proxy, proxyTunnel: false });
  }

  return {
    async open(url, options) {
      const proxy = proxyFor(url, settings.proxy) ?? '';
      const way = ways.get(proxy) ?? make(proxy);
      ways.set(proxy, way);
      const dispatcher = await way;
      return dispatcher.request({ ...options, origin: url.origin, path: `${url.pathname}${url.search}` });
    },
    async close() {
      const open = [...ways.values()];
      ways.clear();
      await Promise.all(open.map(async (way) => (await way).destroy()));
    },
  };
}
