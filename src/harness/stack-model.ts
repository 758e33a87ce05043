import type { ComposeModel, ComposeService } from './compose-model.ts';

/** Keys of a service that `docker stack deploy` reads and that mean the same there as in the compose model. */
const SAME = [
  'image',
  'command',
  'entrypoint',
  'environment',
  'labels',
  'healthcheck',
  'hostname',
  'domainname',
  'user',
  'working_dir',
  'stop_grace_period',
  'stop_signal',
  'tty',
  'stdin_open',
  'init',
  'read_only',
  'cap_drop',
  'cap_add',
  'dns',
  'dns_search',
  'logging',
  'ulimits',
  'secrets',
  'configs',
] as const;

/**
 * The checked compose model in the schema of `docker stack deploy` (compose file version 3), which is older and
 * stricter. What a stack does not know (`depends_on`, `restart`, `container_name`) is left out, as it ignores it.
 */
export function stackModel(model: ComposeModel): Record<string, unknown> {
  const things = (kind: 'networks' | 'volumes' | 'secrets' | 'configs') =>
    Object.fromEntries(
      Object.entries(model[kind] ?? {}).map(([name, thing]) => {
        const { name: own, external, labels, file, driver } = thing ?? {};
        return [
          name,
          present(external === true ? { name: own, external } : { name: own, labels, file, driver }),
        ];
      }),
    );
  return {
    // The first with a limit of processes; docker's command line knows it since 20.10.
    version: '3.9',
    services: Object.fromEntries(
      Object.entries(model.services ?? {}).map(([name, service]) => [name, stackService(service)]),
    ),
    networks: things('networks'),
    volumes: things('volumes'),
    secrets: things('secrets'),
    configs: things('configs'),
  };
}

function stackService(service: ComposeService): Record<string, unknown> {
  const kept = Object.fromEntries(SAME.map((key) => [key, service[key]]));
  return present({
    ...kept,
    deploy: stackDeploy(service),
    networks: aliasesOnly(service.networks),
    ports: (service.ports as { target: number; protocol?: string; mode?: string }[] | undefined)?.map(
      ({ target, protocol, mode }) => present({ target, protocol, mode }),
    ),
    volumes: service.volumes?.map(({ type, source, target, read_only: readOnly }) =>
      present({ type, source, target, read_only: readOnly }),
    ),
    extra_hosts: hostLines(service.extra_hosts),
    sysctls: service.sysctls,
    tmpfs: service.tmpfs,
  });
}

/** Limits that the compose model states beside `deploy` are the stack's below it, numbers as texts. */
function stackDeploy(service: ComposeService): Record<string, unknown> {
  const deploy = (service.deploy ?? {}) as {
    resources?: { limits?: Record<string, unknown>; reservations?: Record<string, unknown> };
  };
  const { limits, reservations } = deploy.resources ?? {};
  return {
    ...deploy,
    resources: present({
      limits: present({
        ...limits,
        cpus: textOf(limits?.cpus),
        memory: textOf(limits?.memory),
        pids: limits?.pids ?? service.pids_limit,
      }),
      reservations:
        reservations === undefined
          ? undefined
          : present({ cpus: textOf(reservations.cpus), memory: textOf(reservations.memory) }),
    }),
  };
}

function aliasesOnly(networks: ComposeService['networks']): Record<string, unknown> | undefined {
  if (networks === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(networks).map(([name, use]) => {
      const aliases = (use as { aliases?: string[] } | null)?.aliases;
      return [name, aliases === undefined ? null : { aliases }];
    }),
  );
}

function hostLines(hosts: unknown): string[] | undefined {
  if (Array.isArray(hosts)) return hosts.map((line) => String(line).replace('=', ':'));
  if (typeof hosts !== 'object' || hosts === null) return undefined;
  return Object.entries(hosts).flatMap(([name, addresses]) =>
    [addresses].flat().map((address) => `${name}:${address}`),
  );
}

function textOf(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}

function present<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(
      ([, item]) => item !== undefined && item !== null && !(Array.isArray(item) && item.length === 0),
    ),
  ) as Partial<T>;
}
