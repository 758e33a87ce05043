import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeAddressBlock } from './address-block.ts';
import { asRoot, tryCommand } from './command.ts';
import { libraryFolders, programEnv } from './engine-programs.ts';
import { answering, type OwnEngine } from './own-engine.ts';
import { distributionPackages, type Unpacked } from './packages.ts';
import { type Run, startProcess } from './run.ts';

/**
 * Starts the distribution's Podman with Docker's API on a private socket, with folders and a bridge of its own.
 * Its network plugins keep state in fixed places and rules in the firewall: the former get a mount namespace of
 * their own, the latter go with the containers, which are therefore removed before the end.
 */
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
  mkdirSync(networks);
  writeFileSync(join(networks, 'sandbox.conflist'), JSON.stringify(network(block.bridge, block.gateway)));
  const named = configuration(run, root, networks, block.pool.base);
  const rules = await tryCommand(asRoot(['iptables-save'], env), { env: { ...process.env, ...env } });
  writeFileSync(join(run.folder, 'before-stop'), beforeStop(run, root, named, /^:CNI-/m.test(rules.stdout)));

  const socket = join(run.sockets, 'podman.sock');
  const script = [
    'set -e',
    'for folder in /run/netns /var/lib/cni; do',
    `  [ -d "$folder" ] || { mkdir "$folder"; echo "$folder" >>'${join(run.folder, 'made')}'; }`,
    '  mount -t tmpfs tmpfs "$folder"',
    'done',
    `exec podman system service --time=0 'unix://${socket}'`,
  ];
  const argv = ['unshare', '-m', 'sh', '-c', script.join('\n')];
  const service = startProcess(run, 'podman', argv, { root: true, env: { ...env, ...named } });
  const host = `unix://${socket}`;
  return { host, facts: await answering(run, 'podman', service, host), env };
}

/** Writes the files that Podman is told about by its environment; returns that environment. */
function configuration(run: Run, root: string, networks: string, pool: string): Record<string, string> {
  const files = {
    CONTAINERS_CONF: ['containers.conf', containersConf(root, run, networks, pool)],
    CONTAINERS_REGISTRIES_CONF: ['registries.conf', registriesConf],
    CONTAINERS_STORAGE_CONF: [
      'storage.conf',
      storageConf(join(run.folder, 'podman'), join(run.sockets, 'exec')),
    ],
  } as const;
  // The policy has no variable of its own, but is looked for below the home folder first.
  const named: Record<string, string> = { HOME: run.folder };
  mkdirSync(join(run.folder, '.config/containers'), { recursive: true });
  writeFileSync(
    join(run.folder, '.config/containers/policy.json'),
    '{"default":[{"type":"insecureAcceptAnything"}]}',
  );
  for (const [variable, [file, content]] of Object.entries(files)) {
    named[variable] = join(run.folder, file);
    writeFileSync(named[variable], content);
  }
  return named;
}

/**
 * Runs at the beginning of clean.sh: containers take their rules with them; the empty chains that stay are
 * removed unless they were there before us.
 */
const beforeStop = (
  run: Run,
  root: string,
  named: Readonly<Record<string, string>>,
  chainsWereThere: boolean,
): string => `
export PATH='${root}/usr/bin':"$PATH" LD_LIBRARY_PATH='${libraryFolders(root).join(':')}':"$LD_LIBRARY_PATH"
${Object.entries(named)
  .map(([name, value]) => `export ${name}='${value}'`)
  .join('\n')}
for pid in $(grep -l -F '${run.sockets}/' /proc/[0-9]*/cmdline | cut -d/ -f3); do
  case $(readlink "/proc/$pid/exe") in */podman|*/conmon) ;; *) continue ;; esac
  nsenter -m -t "$pid" podman rm -f -a -t 0
  break
done
for pid in $(grep -l -F '${run.sockets}/' /proc/[0-9]*/cmdline | cut -d/ -f3); do
  case $(readlink "/proc/$pid/exe") in */conmon) kill -KILL "$pid" ;; esac
done
find /sys/fs/cgroup -depth -path '*/libpod_parent*' -type d -exec rmdir '{}' ';'
[ -f '${join(run.folder, 'made')}' ] && xargs rmdir <'${join(run.folder, 'made')}'
${chainsWereThere ? 'exit 0' : ''}
iptables-save | grep -q '^-A CNI-FORWARD -[sd] ' && exit 0
for table in filter nat; do
  iptables-save -t "$table" | sed -n 's/^-A \\([A-Z]* .*-j CNI-.*\\)$/\\1/p' | while read -r rule; do
    echo "$rule" | xargs iptables -t "$table" -D
  done
  for chain in $(iptables-save -t "$table" | sed -n 's/^:\\(CNI-[^ ]*\\) .*/\\1/p'); do iptables -t "$table" -F "$chain"; done
  for chain in $(iptables-save -t "$table" | sed -n 's/^:\\(CNI-[^ ]*\\) .*/\\1/p'); do iptables -t "$table" -X "$chain"; done
done
`;

const storageConf = (data: string, state: string): string => `[storage]
driver = "overlay"
graphroot = "${data}"
runroot = "${state}"
`;

const containersConf = (root: string, run: Run, networks: string, pool: string): string => `[containers]
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
cgroup_manager = "cgroupfs"
tmp_dir = "${join(run.sockets, 'tmp')}"
volume_path = "${join(run.folder, 'volumes')}"
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
