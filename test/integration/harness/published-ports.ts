import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type Docker from 'dockerode';

/**
 * Ports of this machine that the engine still holds for nobody: each published port has a `docker-proxy` of its own,
 * which outlives its container where the engine lost track. Ports of Podman, and of an engine that is somebody
 * else's, cannot be told so, and none is named.
 */
export async function portsOfNobody(docker: Docker): Promise<readonly string[]> {
  const { DockerRootDir: root } = (await docker.info()) as { DockerRootDir?: string };
  for (const until = Date.now() + 5000; ; await new Promise((resolve) => setTimeout(resolve, 200))) {
    const held = proxies(root ?? '');
    const published = new Set(
      (await docker.listContainers()).flatMap(({ Ports }) => Ports.map(({ PublicPort }) => PublicPort)),
    );
    const stray = held.filter((port) => !published.has(port));
    // Of a container that another test starts at this moment, the port comes first.
    if (stray.length === 0 || Date.now() > until) return stray.map((port) => `port ${port}`);
  }
}

function proxies(root: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const [program, ...args] = commandOf(pid);
      if (program?.endsWith('docker-proxy') !== true) return [];
      const engine = commandOf(parentOf(pid));
      const config = engine[engine.indexOf('--config-file') + 1] ?? '';
      const ours = engine.includes('--config-file') && root.startsWith(dirname(config));
      return ours ? [Number(args[args.indexOf('-host-port') + 1])] : [];
    });
}

function commandOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function parentOf(pid: string): string {
  try {
    return /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  } catch {
    return '0';
  }
}
