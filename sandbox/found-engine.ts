import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type EngineFacts, engineFacts } from './docker-api.ts';

/** An engine that answers on this machine already: DOCKER_HOST, the docker context, default sockets, Podman's. */
export async function findEngine(): Promise<{ host: string; facts: EngineFacts } | undefined> {
  const named = process.env.DOCKER_HOST;
  for (const host of named ? [named] : [contextHost(), ...defaultHosts()]) {
    if (host === undefined || !/^(unix|tcp|http):/.test(host)) continue;
    if (host.startsWith('unix://') && !existsSync(host.slice('unix://'.length))) continue;
    const facts = await engineFacts(host);
    if (facts) return { host, facts };
  }
  if (named)
    throw new Error(`DOCKER_HOST is ${named}, but no engine answers there: start it, or unset DOCKER_HOST.`);
  return undefined;
}

function defaultHosts(): string[] {
  const runtime = process.env.XDG_RUNTIME_DIR;
  return [
    '/var/run/docker.sock',
    ...(runtime ? [join(runtime, 'docker.sock')] : []),
    join(homedir(), '.docker/run/docker.sock'),
    ...(runtime ? [join(runtime, 'podman/podman.sock')] : []),
    '/run/podman/podman.sock',
  ].map((path) => `unix://${path}`);
}

/** The endpoint of the chosen docker context; its files are named after the hash of the context's name. */
function contextHost(): string | undefined {
  const folder = process.env.DOCKER_CONFIG ?? join(homedir(), '.docker');
  try {
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as {
      currentContext?: string;
    };
    const name = process.env.DOCKER_CONTEXT ?? config.currentContext;
    if (!name || name === 'default') return undefined;
    const id = createHash('sha256').update(name).digest('hex');
    const meta = JSON.parse(readFileSync(join(folder, 'contexts/meta', id, 'meta.json'), 'utf8')) as {
      Endpoints?: { docker?: { Host?: string } };
    };
    return meta.Endpoints?.docker?.Host;
  } catch {
    return undefined;
  }
}
