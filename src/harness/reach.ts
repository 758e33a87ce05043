import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type Docker from 'dockerode';
import { engineStatus } from '../engine/dockerode-failure.ts';
import type { EngineInfo } from '../engine/engine.ts';
import { Failure } from '../outcome.ts';
import type { ServiceState } from './containers.ts';

/**
 * Where this process stands towards the engine. `container`: in one of its containers (a Drone step), beside the
 * subject; then the subject is reached on a network that both are on. `host`: published ports on that host.
 */
export type Whereabouts =
  | {
      readonly kind: 'container';
      readonly id: string;
      /** Our own mounts: what the engine calls the folders that we see. */
      readonly mounts: readonly { readonly source: string; readonly destination: string }[];
    }
  | {
      readonly kind: 'host';
      /** The engine's host, as we reach it. */
      readonly address: string;
      /** Host address to publish on: loopback where the engine is on this machine. */
      readonly bind: string;
      /** True where the engine sees the files that we see, at the same paths. */
      readonly sameFiles: boolean;
    };

/** What a process can know about the container that it may be in; read by `traces()`, given by tests. */
export interface Traces {
  readonly mountinfo: string;
  readonly hostname: string;
  readonly inSomeContainer: boolean;
}

export function traces(): Traces {
  return {
    mountinfo: quiet(() => readFileSync('/proc/self/mountinfo', 'utf8')),
    hostname: hostname(),
    inSomeContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
  };
}

/**
 * Ids of containers that this process may be in. Engines mount a container's own hostname, hosts and resolv.conf
 * from a folder that has the id; a host's mountinfo names containers too, but not at these three places. The
 * hostname is the id's first 12 digits unless somebody chose another.
 */
export function possibleContainers({ mountinfo, hostname: name }: Traces): string[] {
  const ids = new Set<string>();
  for (const line of mountinfo.split('\n')) {
    const [, , , root, point] = line.split(' ');
    if (point !== '/etc/hostname' && point !== '/etc/hosts' && point !== '/etc/resolv.conf') continue;
    const id = /\/([0-9a-f]{64})\//.exec(root ?? '')?.[1];
    if (id !== undefined) ids.add(id);
  }
  if (/^[0-9a-f]{12}$/.test(name)) ids.add(name);
  return [...ids];
}

/** Asks the engine: only it knows whether one of these containers is its own. */
export async function whereabouts(docker: Docker, engine: EngineInfo, seen: Traces): Promise<Whereabouts> {
  for (const id of possibleContainers(seen)) {
    const info = await docker
      .getContainer(id)
      .inspect()
      .catch((cause: unknown) => {
        if (engineStatus(cause) === 404) return undefined;
        throw cause;
      });
    if (info?.State.Running !== true) continue;
    // On the host's network published ports are as near as to the host itself, but the files are still its own.
    if (info.HostConfig.NetworkMode === 'host') return { ...hostOf(engine), sameFiles: false };
    // A container that shares another's network is connected through that one.
    const shared = /^container:(.+)$/.exec(info.HostConfig.NetworkMode ?? '')?.[1];
    if (info.HostConfig.NetworkMode === 'none') {
      throw new Failure('subject-unreachable', 'This step runs in a container without a network.');
    }
    return {
      kind: 'container',
      id: shared ?? info.Id,
      mounts: (info.Mounts ?? []).flatMap(({ Source, Destination }) =>
        Source ? [{ source: Source, destination: Destination }] : [],
      ),
    };
  }
  return { ...hostOf(engine), sameFiles: engine.address.startsWith('unix:') && !seen.inSomeContainer };
}

function hostOf({ address }: EngineInfo): { kind: 'host'; address: string; bind: string } {
  const url = new URL(address);
  if (url.protocol === 'unix:' || url.protocol === 'npipe:')
    return { kind: 'host', address: '127.0.0.1', bind: '127.0.0.1' };
  const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return { kind: 'host', address: url.hostname, bind: loopback ? '127.0.0.1' : '' };
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where this process finds a container's port; `undefined` while the engine has not said it yet. */
export function addressOf(
  where: Whereabouts,
  state: ServiceState,
  networks: readonly string[],
  port: number,
): Address | undefined {
  if (where.kind === 'container') {
    const host = networks.map((network) => state.addresses[network]).find((found) => found !== undefined);
    return host === undefined ? undefined : { host, port };
  }
  const published = state.published[`${port}/tcp`];
  return published === undefined ? undefined : { host: where.address, port: published };
}

/** `http://host:port`, with brackets around an IPv6 address. */
export function urlOf({ host, port }: Address): string {
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}

function quiet(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
