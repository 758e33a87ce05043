import type Docker from 'dockerode';
import { engineStatus, engineWords } from '../engine/dockerode-failure.ts';
import type { MadeKind } from './journal.ts';
import { runOf } from './naming.ts';

/** One thing on the engine that bears our names. Tags of images bear no label: only a journal names them. */
export interface Found {
  readonly kind: Exclude<MadeKind, 'folder'>;
  readonly id: string;
  readonly name: string;
}

type Labels = Readonly<Record<string, string>> | undefined;

/** In the order in which things have to go: what uses another thing first. */
const order: readonly MadeKind[] = [
  'service',
  'container',
  'secret',
  'config',
  'network',
  'volume',
  'image',
  'folder',
];

export function inOrder<T extends { readonly kind: MadeKind }>(things: readonly T[]): T[] {
  return [...things].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

/**
 * Everything on the engine whose name and label together name a run that `wants` says yes to. Where the engine has
 * no swarm, that part is empty.
 */
export async function findOurs(
  docker: Docker,
  wants: (run: string) => boolean,
  swarm: boolean,
): Promise<Found[]> {
  const pick = (kind: Found['kind'], id: string, name: string, labels: Labels): Found[] => {
    const run = runOf(name, labels);
    return run !== undefined && wants(run) ? [{ kind, id, name }] : [];
  };
  const filters = { name: ['kg-'] };
  const [containers, networks, volumes, services, secrets, configs] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    // A swarm's own networks are matched by their whole name where there is a filter for it (moby 20.10).
    docker.listNetworks(),
    docker.listVolumes({ filters }),
    swarm ? docker.listServices({ filters }) : [],
    swarm ? docker.listSecrets({ filters }) : [],
    swarm ? docker.listConfigs({ filters }) : [],
  ]);
  const spec = (kind: Found['kind'], all: readonly unknown[]): Found[] =>
    (all as { ID?: string; Spec?: { Name?: string; Labels?: Labels } }[]).flatMap(({ ID, Spec }) =>
      ID === undefined || Spec?.Name === undefined ? [] : pick(kind, ID, Spec.Name, Spec.Labels),
    );
  return inOrder([
    ...spec('service', services),
    ...containers.flatMap(({ Id, Names, Labels }) =>
      pick('container', Id, (Names[0] ?? '').replace(/^\//, ''), Labels),
    ),
    ...spec('secret', secrets),
    ...spec('config', configs),
    ...networks.flatMap(({ Id, Name, Labels }) => pick('network', Id, Name, Labels)),
    ...(volumes.Volumes ?? []).flatMap(({ Name, Labels }) => pick('volume', Name, Name, Labels)),
  ]);
}

/** Removes one thing; that it is gone already is success. */
export async function remove(docker: Docker, found: Found): Promise<void> {
  try {
    await removal(docker, found);
  } catch (cause) {
    if (engineStatus(cause) === 404) return;
    // "removal of container … is already in progress": somebody else does it.
    if (engineStatus(cause) === 409 && /already in progress/i.test(engineWords(cause))) return;
    throw cause;
  }
}

async function removal(docker: Docker, { kind, id }: Found): Promise<void> {
  switch (kind) {
    case 'container':
      await docker.getContainer(id).remove({ force: true, v: true });
      return;
    case 'network':
      return removeNetwork(docker, id);
    case 'volume':
      await docker.getVolume(id).remove();
      return;
    case 'image':
      await docker.getImage(id).remove({ noprune: true });
      return;
    case 'service':
      await docker.getService(id).remove();
      return;
    case 'secret':
      await docker.getSecret(id).remove();
      return;
    case 'config':
      await docker.getConfig(id).remove();
  }
}

/** Whoever is still on it, this step's own container among them, is taken off first. */
async function removeNetwork(docker: Docker, id: string): Promise<void> {
  const network = docker.getNetwork(id);
  const info = (await network.inspect()) as { Containers?: Record<string, unknown> };
  for (const container of Object.keys(info.Containers ?? {})) {
    // `lb-…` is swarm's own endpoint and goes with the network.
    if (!container.startsWith('lb-'))
      await network.disconnect({ Container: container, Force: true }).catch(() => undefined);
  }
  await network.remove();
}
