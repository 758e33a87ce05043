import type { Allowance } from '../settings/test-section.ts';

/** Why a value of a known key is asked about: the exception's name, and the fault in words; `undefined` where it is safe. */
export type Judge = (value: unknown) => string | undefined;

export interface GuardedKey {
  readonly allow: Allowance;
  readonly judge: Judge;
}

const present: Judge = (value) => (isEmpty(value) ? undefined : 'is not for a test');
const isTrue: Judge = (value) =>
  value === true || value === 'true' ? 'gives the container the whole machine' : undefined;
const foreignSpace: Judge = (value) =>
  typeof value === 'string' && /^(?:host|container:|ns:|shareable$)/.test(value)
    ? `is \`${value}\`, outside the application`
    : undefined;

/** Keys of a service that a test may not have, unless the release branch allows that kind of thing by name. */
export const guardedService: Readonly<Record<string, GuardedKey>> = {
  privileged: { allow: 'privileged', judge: isTrue },
  cap_add: { allow: 'capabilities', judge: present },
  devices: { allow: 'devices', judge: present },
  device_cgroup_rules: { allow: 'devices', judge: present },
  gpus: { allow: 'devices', judge: present },
  network_mode: { allow: 'namespaces', judge: foreignSpace },
  pid: { allow: 'namespaces', judge: foreignSpace },
  ipc: { allow: 'namespaces', judge: foreignSpace },
  uts: { allow: 'namespaces', judge: foreignSpace },
  cgroup: { allow: 'namespaces', judge: foreignSpace },
  userns_mode: { allow: 'namespaces', judge: foreignSpace },
  cgroup_parent: { allow: 'namespaces', judge: present },
  external_links: { allow: 'namespaces', judge: present },
  volumes_from: {
    allow: 'namespaces',
    judge: (value) =>
      Array.isArray(value) && value.some((item) => String(item).startsWith('container:'))
        ? 'names a container outside the application'
        : undefined,
  },
  use_api_socket: { allow: 'engine-socket', judge: isTrue },
  provider: { allow: 'provider', judge: present },
  models: { allow: 'provider', judge: present },
  container_name: { allow: 'container-name', judge: present },
  build: { allow: 'build', judge: present },
  security_opt: {
    allow: 'security-options',
    judge: (value) =>
      Array.isArray(value) && value.every((item) => /^no-new-privileges(?:[:=]true)?$/.test(String(item)))
        ? undefined
        : 'takes protection away',
  },
  runtime: { allow: 'security-options', judge: present },
  oom_kill_disable: { allow: 'security-options', judge: isTrue },
  credential_spec: { allow: 'security-options', judge: present },
};

/**
 * Keys of a service that can do nothing to the machine. Compose grows keys (`provider`, `models`, `use_api_socket`
 * came within a year): one that is neither here nor above is refused until somebody has looked at it.
 */
export const harmlessService: ReadonlySet<string> = new Set([
  'annotations',
  'attach',
  'blkio_config',
  'cap_drop',
  'command',
  'configs',
  'cpu_count',
  'cpu_percent',
  'cpu_period',
  'cpu_quota',
  'cpu_rt_period',
  'cpu_rt_runtime',
  'cpu_shares',
  'cpus',
  'cpuset',
  'depends_on',
  'deploy',
  'develop',
  'dns',
  'dns_opt',
  'dns_search',
  'domainname',
  'entrypoint',
  'env_file',
  'environment',
  'expose',
  'extends',
  'extra_hosts',
  'group_add',
  'healthcheck',
  'hostname',
  'image',
  'init',
  'isolation',
  'label_file',
  'labels',
  'links',
  'logging',
  'mac_address',
  'mem_limit',
  'mem_reservation',
  'mem_swappiness',
  'memswap_limit',
  'networks',
  'oom_score_adj',
  'pids_limit',
  'platform',
  'ports',
  'post_start',
  'pre_stop',
  'profiles',
  'pull_policy',
  'read_only',
  'restart',
  'scale',
  'secrets',
  'shm_size',
  'stdin_open',
  'stop_grace_period',
  'stop_signal',
  'storage_opt',
  'sysctls',
  'tmpfs',
  'tty',
  'ulimits',
  'user',
  'volumes',
  'working_dir',
]);

/** Drivers of networks that stay inside the engine; others reach the machine's own network. */
export const insideNetworks: ReadonlySet<string> = new Set(['bridge', 'overlay', 'default', '']);

export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
