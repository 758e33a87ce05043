import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AddressBlock, takeAddressBlock } from './address-block.ts';
import { type EngineFacts, engineFacts } from './docker-api.ts';
import { distributionPackages, type Unpacked } from './packages.ts';
import { logFile, type Run, startProcess } from './run.ts';

export interface OwnEngine {
  readonly host: string;
  readonly facts: EngineFacts;
  readonly block: AddressBlock;
}

/** The distribution's engine, registry and busybox: what every sandbox of our own is made of. */
export function basePackages(): Promise<Unpacked> {
  return distributionPackages('base', [
    'docker.io',
    'containerd',
    'runc',
    'tini',
    'iptables',
    'iproute2',
    'docker-registry',
    'busybox-static',
    'openssl',
  ]);
}

/** PATH and library folders under which unpacked programs find each other; folders named first win. */
export function programEnv(...roots: readonly string[]): Record<string, string> {
  const triplet = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch as string] ?? '';
  const under = (root: string, parts: readonly string[]) => parts.map((part) => join(root, part));
  const path = roots.flatMap((root) => under(root, ['usr/local/bin', 'usr/sbin', 'usr/bin', 'sbin', 'bin']));
  const libraries = roots.flatMap((root) => under(root, [`usr/lib/${triplet}`, `lib/${triplet}`]));
  return {
    PATH: [...path, process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin'].join(':'),
    LD_LIBRARY_PATH: libraries.join(':'),
    XTABLES_LIBDIR: join(roots.at(-1) ?? '/', `usr/lib/${triplet}/xtables`),
  };
}

/**
 * Starts containerd and dockerd of the given packages: private sockets and folders, a bridge of its own, no
 * rules in the host's firewall (its chains have fixed names and belong to whichever engine was there first).
 */
export async function startOwnEngine(
  run: Run,
  base: Unpacked,
  newer: Unpacked | undefined,
  containerdStore: boolean,
): Promise<OwnEngine> {
  linkIptables(base);
  const env = programEnv(...(newer ? [newer.root] : []), base.root);
  const block = await takeAddressBlock(run, env);
  const containerdSocket = join(run.sockets, 'containerd.sock');
  const containerdConfig = join(run.folder, 'containerd.toml');
  writeFileSync(containerdConfig, containerdToml(run, containerdSocket));
  startProcess(run, 'containerd', ['containerd', '--config', containerdConfig], { root: true, env });
  await until(run, 'containerd', () => existsSync(containerdSocket));

  const host = `unix://${join(run.sockets, 'docker.sock')}`;
  const old = /^(\d+:)?(1\d|20)\./.test((newer ?? base).versions['docker.io'] ?? '');
  const config = join(run.folder, 'daemon.json');
  writeFileSync(
    config,
    `${JSON.stringify(daemonJson(run, host, containerdSocket, block, containerdStore, old), null, 2)}\n`,
  );
  startProcess(run, 'dockerd', ['dockerd', '--config-file', config], { root: true, env });
  let facts: EngineFacts | undefined;
  await until(run, 'dockerd', async () => {
    facts = await engineFacts(host);
    return facts !== undefined;
  });
  return { host, facts: facts!, block };
}

function daemonJson(
  run: Run,
  host: string,
  containerd: string,
  block: AddressBlock,
  containerdStore: boolean,
  old: boolean,
) {
  return {
    hosts: [host],
    group: String(process.getgid?.() ?? 0),
    'data-root': join(run.folder, 'docker'),
    'exec-root': join(run.sockets, 'exec'),
    pidfile: join(run.folder, 'dockerd.pid'),
    containerd,
    bridge: block.bridge,
    'default-address-pools': [block.pool],
    iptables: false,
    ip6tables: false,
    'ip-forward': false,
    'ip-masq': false,
    'userland-proxy': true,
    'cgroup-parent': `/${run.id}`,
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    'shutdown-timeout': 1,
    // Engines of old write a key into /etc/docker unless told where.
    ...(old ? { 'deprecated-key-path': join(run.folder, 'key.json') } : {}),
    ...(containerdStore ? { features: { 'containerd-snapshotter': true } } : {}),
  };
}

function containerdToml(run: Run, socket: string): string {
  return `version = 2
root = "${join(run.folder, 'containerd', 'root')}"
state = "${join(run.folder, 'containerd', 'state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri"]

[grpc]
  address = "${socket}"

[plugins]
  [plugins."io.containerd.internal.v1.opt"]
    path = "${join(run.folder, 'containerd', 'opt')}"
`;
}

/** The packages leave the plain names to update-alternatives; containers' name resolution needs them. */
function linkIptables(base: Unpacked): void {
  const folder = join(base.root, 'usr/sbin');
  mkdirSync(folder, { recursive: true });
  for (const family of ['iptables', 'ip6tables']) {
    for (const name of [family, `${family}-save`, `${family}-restore`]) {
      try {
        symlinkSync('xtables-nft-multi', join(folder, name));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      }
    }
  }
}

/** Waits until `ready`, at most 30 seconds; then the log's end says why it did not come. */
async function until(run: Run, name: string, ready: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    if (await ready()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const log = readFileSync(logFile(run, name), 'utf8').trim().split('\n').slice(-15).join('\n');
  throw new Error(`${name} did not start. The end of its log:\n${log}`);
}
