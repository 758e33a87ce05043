import type { Mounted } from './binds.ts';
import type {
  ComposeFileUse,
  ComposeModel,
  ComposeMount,
  ComposeService,
  ComposeThing,
} from './compose-model.ts';
import { ENGINE_LOG } from './logs.ts';
import { labels } from './naming.ts';

export interface ComposePlanInput {
  readonly model: ComposeModel;
  readonly project: string;
  readonly target: string;
  /** Ports of the target that are needed, and where they are published: `undefined` where nobody needs that. */
  readonly ports: readonly number[];
  readonly publish: { readonly bind: string; readonly mode: 'ingress' | 'host' } | undefined;
  /** By service, the image that takes the place of its own. */
  readonly images: Readonly<Record<string, string>>;
  readonly runLabels: Readonly<Record<string, string>>;
  /** What stands in for each bind, by service and place in its list; and for each file of a secret or config. */
  readonly mounts: ReadonlyMap<string, Mounted>;
  readonly allow: readonly string[];
  readonly pids: number;
}

/** A file that has to be put into a service's container before it starts. */
export interface SentFile {
  readonly service: string;
  readonly path: string;
  readonly target: string;
}

export interface ComposePlan {
  readonly model: ComposeModel;
  readonly send: readonly SentFile[];
}

/** The key of a bind, or of a secret's or config's use, in `mounts`. */
export function mountKey(service: string, kind: 'volumes' | 'secrets' | 'configs', index: number): string {
  return `${service} ${kind} ${index}`;
}

/**
 * The application as it is deployed: own images by digest, our labels and limits on everything, names of networks and
 * volumes that are this run's alone whatever the file calls them, no host ports but those that are asked for, binds
 * replaced by copies. Pure.
 */
export function composePlan(input: ComposePlanInput): ComposePlan {
  const send: SentFile[] = [];
  const services = Object.fromEntries(
    Object.entries(input.model.services ?? {}).map(([name, service]) => [
      name,
      planService(input, name, service, send),
    ]),
  );
  const thing = (kind: 'networks' | 'volumes', name: string, found: ComposeThing | null): ComposeThing => {
    const { external: _, name: __, ...rest } = found ?? {};
    // One that was `external` is made here, for this run: nothing of another application is ever touched.
    return {
      ...rest,
      name: `${input.project}_${name}`,
      labels: { ...rest.labels, ...input.runLabels },
      ...(kind === 'networks' ? {} : {}),
    };
  };
  const things = (kind: 'networks' | 'volumes') =>
    Object.fromEntries(
      Object.entries(input.model[kind] ?? {}).map(([name, found]) => [name, thing(kind, name, found)]),
    );
  const volumes = things('volumes');
  for (const mounted of input.mounts.values()) {
    if (mounted.kind === 'volume') volumes[mounted.volume] = { name: mounted.volume, external: true };
  }
  const model: ComposeModel = { name: input.project, services, networks: things('networks'), volumes };
  for (const kind of ['secrets', 'configs'] as const) {
    const kept = Object.entries(input.model[kind] ?? {}).filter(([, found]) => found?.file === undefined);
    if (kept.length > 0)
      model[kind] = Object.fromEntries(
        kept.map(([name, found]) => [name, { ...found, name: `${input.project}_${name}` }]),
      );
  }
  return { model, send };
}

function planService(
  input: ComposePlanInput,
  name: string,
  service: ComposeService,
  send: SentFile[],
): ComposeService {
  const { build, container_name: containerName, ports: _, ...rest } = service;
  const planned: ComposeService = {
    ...rest,
    labels: { ...service.labels, ...input.runLabels, [labels.service]: name },
    logging: { driver: ENGINE_LOG.Type, options: { ...ENGINE_LOG.Config } },
    pids_limit: service.pids_limit ?? input.pids,
  };
  const image = input.images[name];
  if (image !== undefined) planned.image = image;
  else if (build !== undefined) planned.build = build;
  if (containerName !== undefined && input.allow.includes('container-name'))
    planned.container_name = containerName;
  if (name === input.target && input.publish !== undefined) {
    const { bind, mode } = input.publish;
    planned.ports = input.ports.map((port) => ({
      target: port,
      protocol: 'tcp',
      mode,
      ...(bind === '' ? {} : { host_ip: bind }),
    }));
  }
  planned.volumes = (service.volumes ?? []).flatMap((mount, index) =>
    plannedMount(input, name, mount, index, send),
  );
  for (const kind of ['secrets', 'configs'] as const) {
    const { kept, mounts } = plannedFiles(input, name, kind, service[kind] ?? [], send);
    planned.volumes.push(...mounts);
    if (kept.length > 0) planned[kind] = kept;
    else delete planned[kind];
  }
  return planned;
}

function plannedMount(
  input: ComposePlanInput,
  service: string,
  mount: ComposeMount,
  index: number,
  send: SentFile[],
): ComposeMount[] {
  if (mount.type !== 'bind') return [mount];
  return standIn(
    input.mounts.get(mountKey(service, 'volumes', index)),
    service,
    mount.target,
    mount.read_only === true,
    send,
  );
}

/** Secrets and configs that are files of the tree are mounts of single files like any other. */
function plannedFiles(
  input: ComposePlanInput,
  service: string,
  kind: 'secrets' | 'configs',
  uses: readonly ComposeFileUse[],
  send: SentFile[],
) {
  const kept: ComposeFileUse[] = [];
  const mounts: ComposeMount[] = [];
  for (const [index, use] of uses.entries()) {
    if (input.model[kind]?.[use.source]?.file === undefined) kept.push(use);
    else
      mounts.push(
        ...standIn(
          input.mounts.get(mountKey(service, kind, index)),
          service,
          fileTarget(kind, use),
          true,
          send,
        ),
      );
  }
  return { kept, mounts };
}

/** Where compose would mount it: `/run/secrets/<name>` or `/<name>`, unless the target is a path itself. */
export function fileTarget(kind: 'secrets' | 'configs', { source, target }: ComposeFileUse): string {
  const name = target ?? source;
  if (name.startsWith('/')) return name;
  return kind === 'secrets' ? `/run/secrets/${name}` : `/${name}`;
}

function standIn(
  mounted: Mounted | undefined,
  service: string,
  target: string,
  readOnly: boolean,
  send: SentFile[],
): ComposeMount[] {
  if (mounted === undefined) return [];
  const mode = readOnly ? { read_only: true } : {};
  switch (mounted.kind) {
    case 'volume':
      return [{ type: 'volume', source: mounted.volume, target, ...mode, volume: { nocopy: true } }];
    case 'file':
      return [{ type: 'bind', source: mounted.path, target, ...mode, bind: { create_host_path: false } }];
    case 'send':
      send.push({ service, path: mounted.path, target });
      return [];
  }
}
