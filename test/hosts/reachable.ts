import { type AddressInfo, createServer, connect as open, type Socket } from 'node:net';
import { engineApi } from '../../sandbox/docker-api.ts';
import type { Sandbox } from '../../sandbox/index.ts';

/** The address at which containers reach this machine, where the engine speaks plain HTTP to a registry there. */
export async function hostAddress(box: Sandbox): Promise<string | undefined> {
  const network = await json<{ IPAM?: { Config?: { Gateway?: string }[] } }>(box, '/networks/bridge');
  const address = network.IPAM?.Config?.[0]?.Gateway;
  const info = await json<{ RegistryConfig?: { InsecureRegistryCIDRs?: string[] } }>(box, '/info');
  const insecure = info.RegistryConfig?.InsecureRegistryCIDRs ?? [];
  return address !== undefined && insecure.includes(`${address}/32`) ? address : undefined;
}

async function json<T>(box: Sandbox, path: string): Promise<T> {
  return JSON.parse((await engineApi(box.dockerHost, 'GET', path)).body.toString()) as T;
}

/** What listens on loopback, at `address` too, under the same port; `stop` ends that. */
export async function alsoAt(address: string, hosts: readonly string[]): Promise<() => Promise<void>> {
  const stops = await Promise.all(hosts.map((host) => forward(address, Number(host.split(':').at(-1)))));
  return async () => {
    for (const stop of stops) await stop();
  };
}

/** The engine's socket at a TCP port of `address`: what an engine in a container of its own would answer at. */
export async function engineOverTcp(
  box: Sandbox,
  address: string,
): Promise<{ readonly host: string; stop(): Promise<void> }> {
  const socket = box.dockerHost.replace('unix://', '');
  const { port, stop } = await listen(address, 0, () => open(socket));
  return { host: `${address}:${port}`, stop };
}

async function forward(address: string, port: number): Promise<() => Promise<void>> {
  return (await listen(address, port, () => open(port, '127.0.0.1'))).stop;
}

async function listen(
  address: string,
  wanted: number,
  connect: () => Socket,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect();
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, address, () => resolve());
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
