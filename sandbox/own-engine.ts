import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AddressBlock, takeAddressBlock } from './address-block.ts';
import { type EngineFacts, engineFacts } from './docker-api.ts';
import { dockerPackages, type OwnEngineName, programEnv } from './engine-programs.ts';
import { type Unpacked, upstream } from './packages.ts';
import { logFile, type Run, startProcess } from './run.ts';

export interface OwnEngine {
  readonly host: string;
  readonly facts: EngineFacts;
  /** Finds the programs of this engine, its command line among them. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts containerd and dockerd: private sockets and folders, a bridge of its own, and no rules in the host's
 * firewall, whose chains have fixed names and belong to whichever engine was there first. Published ports go
 * through the engine's own proxy then.
 */
export async function startDocker(run: Run, base: Unpacked, name: OwnEngineName): Promise<OwnEngine> {
  const other = await dockerPackages(name, base);
  const env = programEnv(...(other ? [other.root] : []), base.root);
  const block = await takeAddressBlock(run, env);
  // Left to itself dockerd would use a containerd that the system runs, and share its containers with others.
  const containerd = join(run.sockets, 'containerd.sock');
  const containerdConfig = join(run.folder, 'containerd.toml');
  writeFileSync(containerdConfig, containerdToml(run, containerd));
  const below = startProcess(run, 'containerd', ['containerd', '--config', containerdConfig], {
    root: true,
    env,
  });
  await until(run, 'containerd', below, () => existsSync(containerd));

  const host = `unix://${join(run.sockets, 'docker.sock')}`;
  const config = join(run.folder, 'daemon.json');
  const settings = {
    ...daemonSettings(run, block),
    hosts: [host],
    containerd,
    // Engines of old write a key into /etc/docker unless told where; newer ones do not know the setting.
    ...(Number.parseInt(upstream((other ?? base).versions['docker.io'] ?? ''), 10) < 23
      ? { 'deprecated-key-path': join(run.folder, 'key.json') }
      : {}),
    ...(name.endsWith('-containerd') ? { features: { 'containerd-snapshotter': true } } : {}),
  };
  writeFileSync(config, `${JSON.stringify(settings, null, 2)}\n`);
  const daemon = startProcess(run, 'dockerd', ['dockerd', '--config-file', config], { root: true, env });
  return { host, facts: await answering(run, 'dockerd', daemon, host), env };
}

const daemonSettings = (run: Run, block: AddressBlock) => ({
  group: String(process.getgid?.() ?? 0),
  'data-root': join(run.folder, 'docker'),
  'exec-root': join(run.sockets, 'exec'),
  pidfile: join(run.folder, 'dockerd.pid'),
  bridge: block.bridge,
  'default-address-pools': [block.pool],
  // A registry at the address where containers reach this machine is as near as one on loopback.
  'insecure-registries': [`${block.gateway}/32`],
  iptables: false,
  ip6tables: false,
  'ip-forward': false,
  'ip-masq': false,
  'userland-proxy': true,
  'cgroup-parent': `/${run.id}`,
  'exec-opts': ['native.cgroupdriver=cgroupfs'],
  'shutdown-timeout': 1,
});

const containerdToml = (run: Run, socket: string): string => `version = 2
root = "${join(run.folder, 'containerd', 'root')}"
state = "${join(run.folder, 'containerd', 'state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri"]

[grpc]
  address = "${socket}"

[plugins]
  [plugins."io.containerd.internal.v1.opt"]
    path = "${join(run.folder, 'containerd', 'opt')}"
`;

/** Waits until the engine answers. */
export async function answering(
  run: Run,
  name: string,
  child: ChildProcess,
  host: string,
): Promise<EngineFacts> {
  let facts: EngineFacts | undefined;
  await until(run, name, child, async () => {
    facts = await engineFacts(host);
    return facts !== undefined;
  });
  return facts!;
}

/** Waits until `ready`, at most 60 seconds or until the process has ended; then the end of the log says why it did not come. */
async function until(
  run: Run,
  name: string,
  child: ChildProcess,
  ready: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    if (await ready()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const log = readFileSync(logFile(run, name), 'utf8').trim().split('\n').slice(-15).join('\n');
  throw new Error(`${name} did not start. The end of its log:\n${log}`);
}
