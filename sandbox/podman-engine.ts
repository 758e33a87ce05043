import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeAddressBlock } from './address-block.ts';
import { programEnv } from './engine-programs.ts';
import { answering, type OwnEngine } from './own-engine.ts';
import { distributionPackages, type Unpacked } from './packages.ts';
import { type Run, startProcess } from './run.ts';

/** Starts the distribution's Podman with Docker's API on a private socket, with folders and a bridge of its own. */
export async function startPodman(run: Run, base: Unpacked): Promise<OwnEngine> {
  const names = [
    'podman',
    'conmon',
    'containernetworking-plugins',
    'catatonit',
    'golang-github-containers-common',
  ];
  const { root } = await distributionPackages('podman', names);
  const env = programEnv(root, base.root);
  const block = await takeAddressBlock(run, env);
  const networks = join(run.folder, 'networks');
  mkdirSync(networks, { recursive: true });
  writeFileSync(join(networks, 'sandbox.conflist'), JSON.stringify(network(block.bridge, block.gateway)));
  const files = {
    CONTAINERS_CONF: ['containers.conf', containersConf(root, networks, block.pool.base)],
    CONTAINERS_REGISTRIES_CONF: ['registries.conf', registriesConf],
    CONTAINERS_STORAGE_CONF: ['storage.conf', '[storage]\ndriver = "overlay"\n'],
  } as const;
  const named: Record<string, string> = {};
  for (const [variable, [file, content]] of Object.entries(files)) {
    named[variable] = join(run.folder, file);
    writeFileSync(named[variable], content);
  }
  const socket = join(run.sockets, 'podman.sock');
  const data = ['--root', join(run.folder, 'podman'), '--runroot', join(run.sockets, 'exec')];
  const limits = ['--tmpdir', join(run.sockets, 'tmp'), '--cgroup-manager', 'cgroupfs'];
  const service = ['system', 'service', '--time=0', `unix://${socket}`];
  startProcess(run, 'podman', ['podman', ...data, ...limits, ...service], {
    root: true,
    env: { ...env, ...named },
  });
  const host = `unix://${socket}`;
  return { host, facts: await answering(run, 'podman', host), env };
}

const containersConf = (root: string, networks: string, pool: string): string => `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]

[network]
network_backend = "cni"
cni_plugin_dirs = ["${join(root, 'usr/lib/cni')}"]
network_config_dir = "${networks}"
default_network = "sandbox"
default_subnet_pools = [{ base = "${pool}", size = 24 }]

[engine]
runtime = "runc"
conmon_path = ["${join(root, 'usr/bin/conmon')}"]
helper_binaries_dir = ["${join(root, 'usr/lib/podman')}", "${join(root, 'usr/libexec/podman')}"]
init_path = "${join(root, 'usr/bin/catatonit')}"
events_logger = "file"
`;

/** Plain HTTP for every port of loopback: Docker engines allow that by themselves. */
const registriesConf = `unqualified-search-registries = []

[[registry]]
prefix = "127.0.0.1"
location = "127.0.0.1"
insecure = true
`;

const network = (bridge: string, gateway: string) => ({
  cniVersion: '0.4.0',
  name: 'sandbox',
  plugins: [
    {
      type: 'bridge',
      bridge,
      isGateway: true,
      ipMasq: false,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: gateway.replace(/\.1$/, '.0/24'), gateway }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
});
