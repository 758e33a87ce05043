import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request to the engine as it went over the wire. */
export interface Passed {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What becomes of an answer's chunks on their way back; the last call has no chunk. */
export type Rewrite = (chunk: Buffer | undefined) => readonly Buffer[];

export interface EngineProxy {
  /** `tcp://127.0.0.1:<port>` */
  readonly address: string;
  readonly passed: readonly Passed[];
  stop(): Promise<void>;
}

/** Stands between dockerode and a real engine, as the proxies of some networks do. */
export async function engineProxy(
  dockerHost: string,
  rewrite: (path: string) => Rewrite | undefined,
  listenAt = 0,
): Promise<EngineProxy> {
  const socketPath = dockerHost.replace(/^unix:\/\//, '');
  const passed: Passed[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming;
    passed.push({ method, path: url, headers });
    const change = rewrite(url);
    const upstream = request({ socketPath, path: url, method, headers }, (answer) => {
      const { 'content-length': _, ...kept } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 500, change ? kept : answer.headers);
      answer.on('data', (chunk: Buffer) => {
        for (const piece of change?.(chunk) ?? [chunk]) outgoing.write(piece);
      });
      answer.on('end', () => {
        for (const piece of change?.(undefined) ?? []) outgoing.write(piece);
        outgoing.end();
      });
    });
    upstream.on('error', () => outgoing.destroy());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(listenAt, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `tcp://127.0.0.1:${port}`,
    passed,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
