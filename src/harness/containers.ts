import type Docker from 'dockerode';
import { engineFailure, engineStatus } from '../engine/dockerode-failure.ts';
import { labels, type RunName } from './naming.ts';

/** One container of the subject, as the engine has it right now. */
export interface ServiceState {
  readonly service: string;
  readonly id: string;
  readonly container: string;
  /** Id of the image that it runs, whatever it was asked by. */
  readonly imageId: string;
  /** The reference that it was asked by. */
  readonly reference: string;
  readonly status: string;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  readonly restarts: number;
  readonly startedAt: string;
  readonly health?: 'starting' | 'healthy' | 'unhealthy';
  /** The version that its labels state, ours before compose's before the image's. */
  readonly version?: string;
  /** Address by network name. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Host port by `<port>/tcp`. */
  readonly published: Readonly<Record<string, number>>;
  /** Where volumes without a name are mounted: what is written there is lost with the container. */
  readonly anonymous: readonly string[];
  readonly tty: boolean;
  /** Replaced by its orchestrator, or about to be: an earlier task of the same service. */
  readonly replaced?: boolean;
  /** What the orchestrator says about a task that has no container. */
  readonly error?: string;
}

/** Containers of this run with this value of a label, as they are now. A container that is gone meanwhile is left out. */
export async function statesOf(
  docker: Docker,
  filter: string,
  serviceOf: (labels: Readonly<Record<string, string>>) => string,
  signal: AbortSignal,
): Promise<ServiceState[]> {
  try {
    const found = await docker.listContainers({
      all: true,
      filters: { label: [filter] },
      abortSignal: signal,
    });
    const states = await Promise.all(
      found.map(async ({ Id }) => {
        try {
          return stateOf(await docker.getContainer(Id).inspect({ abortSignal: signal }), serviceOf);
        } catch (cause) {
          if (engineStatus(cause) === 404) return undefined;
          throw cause;
        }
      }),
    );
    return states.filter((state) => state !== undefined).sort((a, b) => (a.container < b.container ? -1 : 1));
  } catch (cause) {
    throw engineFailure(cause, 'looking at the containers', signal);
  }
}

/** Our own containers of a service: image deployment. */
export function ownService(found: Readonly<Record<string, string>>): string {
  return found[labels.service] ?? '';
}

/** The state of one container, from what the engine says about it. */
export function stateOf(
  info: Docker.ContainerInspectInfo,
  serviceOf: (labels: Readonly<Record<string, string>>) => string,
): ServiceState {
  const found = info.Config.Labels ?? {};
  const health = info.State.Health?.Status;
  const version = versionIn(found);
  return {
    service: serviceOf(found),
    id: info.Id,
    container: info.Name.replace(/^\//, ''),
    imageId: info.Image,
    reference: info.Config.Image,
    // Podman says `stopped` until somebody has tidied up after the container.
    status: info.State.Status === 'stopped' ? 'exited' : info.State.Status,
    exitCode: info.State.ExitCode,
    outOfMemory: info.State.OOMKilled === true,
    restarts: info.RestartCount ?? 0,
    startedAt: info.State.StartedAt,
    tty: info.Config.Tty === true,
    ...(health === 'starting' || health === 'healthy' || health === 'unhealthy' ? { health } : {}),
    ...(version === undefined ? {} : { version }),
    addresses: Object.fromEntries(
      Object.entries(info.NetworkSettings.Networks ?? {}).flatMap(([network, { IPAddress }]) =>
        IPAddress === '' ? [] : [[network, IPAddress]],
      ),
    ),
    published: publishedPorts(info.NetworkSettings.Ports),
    anonymous: (info.Mounts ?? []).flatMap((mount) =>
      mount.Type === 'volume' && /^[0-9a-f]{64}$/.test(mount.Name ?? '') ? [mount.Destination] : [],
    ),
  };
}

function publishedPorts(
  ports: Docker.ContainerInspectInfo['NetworkSettings']['Ports'] | null,
): Record<string, number> {
  const published: Record<string, number> = {};
  for (const [port, bindings] of Object.entries(ports ?? {})) {
    // An engine with IPv6 lists two bindings, possibly with different ports; the IPv4 one is what we speak to.
    const binding = bindings?.find(({ HostIp }) => !HostIp?.includes(':')) ?? bindings?.[0];
    if (binding?.HostPort) published[port] = Number(binding.HostPort);
  }
  return published;
}

function versionIn(found: Readonly<Record<string, string>>): string | undefined {
  const coop = Object.keys(found).find((key) => /^coop-cloud\.[^.]+\.version$/.test(key));
  return (coop && found[coop]) ?? found['dev.knowngood.version'] ?? found['org.opencontainers.image.version'];
}

/** Stops with SIGTERM, waits the grace period, kills; then removes it with its volumes that have no name. */
export async function stopAndRemove(docker: Docker, id: string, graceMs: number): Promise<void> {
  const container = docker.getContainer(id);
  await ignoring([304, 404], container.stop({ t: Math.ceil(graceMs / 1000) }));
  await ignoring([404, 409], container.remove({ force: true, v: true }));
}

/** Removes containers at once, with their volumes that have no name: nothing of them is wanted any more. */
export async function removeContainers(docker: Docker, states: readonly ServiceState[]): Promise<void> {
  await Promise.all(
    states.map(({ id }) => ignoring([404, 409], docker.getContainer(id).remove({ force: true, v: true }))),
  );
}

/** Awaits a call for which these answers mean that somebody was faster. */
export async function ignoring(statuses: readonly number[], call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (cause) {
    const status = engineStatus(cause);
    if (status === undefined || !statuses.includes(status)) throw cause;
  }
}

/** Makes a network of this run; it is in the journal first. */
export async function makeNetwork(
  docker: Docker,
  name: RunName,
  note: (name: string) => void,
  network: string,
  more: Partial<Docker.NetworkCreateOptions> = {},
): Promise<void> {
  note(network);
  const found = await docker.listNetworks({ filters: { name: [network] } });
  if (found.some(({ Name }) => Name === network)) return;
  await docker.createNetwork({ Name: network, Labels: name.labels(), ...more });
}
