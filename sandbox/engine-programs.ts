import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { distributionPackages, suitePackages, type Unpacked, upstream } from './packages.ts';

/** The engines of our own. `default` is the distribution's; the others are optional, since suites move. */
export type OwnEngineName =
  | 'default'
  | 'docker-20'
  | 'docker-26'
  | 'docker-26-containerd'
  | 'docker-28'
  | 'docker-28-containerd'
  | 'podman';

/** The distribution's engine, registry and busybox: what every sandbox is made of. */
export async function basePackages(): Promise<Unpacked> {
  const engine = ['docker.io', 'containerd', 'runc', 'tini', 'iptables', 'iproute2'];
  const base = await distributionPackages('base', [
    ...engine,
    'docker-registry',
    'busybox-static',
    'openssl',
  ]);
  linkIptables(base);
  return base;
}

/** Packages of a Docker engine other than the distribution's; undefined where the distribution's is meant. */
export async function dockerPackages(name: OwnEngineName, base: Unpacked): Promise<Unpacked | undefined> {
  switch (name) {
    case 'docker-20': {
      if (upstream(base.versions['docker.io'] ?? '').startsWith('20.')) return undefined;
      const packages = { 'docker.io': '20.10.24', containerd: '1.6.20' };
      return suitePackages('docker-20', versions(packages), ['bookworm']);
    }
    case 'docker-26':
    case 'docker-26-containerd': {
      const packages = { 'docker.io': '26.1.5', 'docker-cli': '26.1.5', containerd: '1.7.24' };
      return suitePackages('docker-26', versions(packages), ['trixie']);
    }
    case 'docker-28':
    case 'docker-28-containerd': {
      const packages = { 'docker.io': '28.5.2', 'docker-cli': '28.5.2', containerd: '2.1.9' };
      return suitePackages('docker-28', versions(packages), ['forky', 'sid']);
    }
    default:
      return undefined;
  }
}

const versions = (packages: Readonly<Record<string, string>>) =>
  Object.entries(packages).map(([name, version]) => ({ name, version }));

const triplet = (): string =>
  ({ x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' })[process.arch as string] ??
  `${process.arch}-linux-gnu`;

/** Where unpacked packages have their shared libraries. */
export const libraryFolders = (root: string): string[] => [
  join(root, 'usr/lib', triplet()),
  join(root, 'lib', triplet()),
];

/** PATH and library folders with which unpacked programs find each other; roots named first win. */
export function programEnv(...roots: readonly string[]): Record<string, string> {
  const folders = ['usr/sbin', 'usr/bin', 'sbin', 'bin'];
  const path = roots.flatMap((root) => folders.map((folder) => join(root, folder)));
  const base = roots.at(-1) ?? '/';
  return {
    PATH: [...path, process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin'].join(':'),
    LD_LIBRARY_PATH: roots.flatMap(libraryFolders).join(':'),
    XTABLES_LIBDIR: join(base, 'usr/lib', triplet(), 'xtables'),
  };
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
