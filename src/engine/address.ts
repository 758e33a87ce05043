import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Failure } from '../outcome.ts';

/** The parts of the environment that decide which engine is meant. */
export interface EngineEnvironment {
  readonly DOCKER_HOST?: string | undefined;
  readonly DOCKER_CONTEXT?: string | undefined;
  readonly DOCKER_CONFIG?: string | undefined;
  readonly DOCKER_CERT_PATH?: string | undefined;
  readonly DOCKER_TLS_VERIFY?: string | undefined;
  readonly HOME?: string | undefined;
  readonly XDG_RUNTIME_DIR?: string | undefined;
}

/** An address to try, and who named it. */
export interface EngineAddress {
  /** `unix:///…`, `npipe:////./pipe/…`, `tcp://host:port`. */
  readonly address: string;
  readonly from: string;
  readonly tls?: { readonly ca?: Uint8Array; readonly cert?: Uint8Array; readonly key?: Uint8Array };
}

/** Reads a file whole; `undefined` if it is not there. */
export type ReadFile = (path: string) => Uint8Array | undefined;

/**
 * The addresses to try, in order. The setting, `DOCKER_HOST` or a chosen docker context is meant alone: another
 * engine that happens to answer would be the wrong one. Otherwise the usual sockets, Podman's last.
 *
 * Context files: `<config>/contexts/meta/<sha256 of the name>/meta.json`, as docker/cli's context store has them.
 */
export function engineAddresses(
  setting: string | undefined,
  env: EngineEnvironment,
  read: ReadFile,
): readonly EngineAddress[] {
  if (setting) return [addressOf(setting, 'setting docker-host', env, read)];
  if (env.DOCKER_HOST) return [addressOf(env.DOCKER_HOST, 'DOCKER_HOST', env, read)];
  const home = env.HOME ?? '/root';
  const config = env.DOCKER_CONFIG || join(home, '.docker');
  const context = env.DOCKER_CONTEXT || currentContext(config, read);
  if (context && context !== 'default') return [contextAddress(config, context, read)];
  const sockets = [
    ['/var/run/docker.sock', 'default socket'],
    [join(home, '.docker/run/docker.sock'), 'Docker Desktop'],
    ...(env.XDG_RUNTIME_DIR ? [[join(env.XDG_RUNTIME_DIR, 'docker.sock'), 'rootless Docker']] : []),
    ...(env.XDG_RUNTIME_DIR ? [[join(env.XDG_RUNTIME_DIR, 'podman/podman.sock'), 'rootless Podman']] : []),
    ['/run/podman/podman.sock', 'Podman'],
  ] as [string, string][];
  return sockets.map(([path, from]) => ({ address: `unix://${path}`, from }));
}

function addressOf(address: string, from: string, env: EngineEnvironment, read: ReadFile): EngineAddress {
  const full = /^[a-z]+:\/\//.test(address) ? address : `tcp://${address}`;
  const secured = env.DOCKER_TLS_VERIFY || full.startsWith('https://');
  const folder = env.DOCKER_CERT_PATH || join(env.DOCKER_CONFIG || join(env.HOME ?? '/root', '.docker'));
  return {
    address: full,
    from,
    ...(secured ? { tls: tlsFiles(folder, read) } : {}),
  };
}

function tlsFiles(folder: string, read: ReadFile): NonNullable<EngineAddress['tls']> {
  const ca = read(join(folder, 'ca.pem'));
  const cert = read(join(folder, 'cert.pem'));
  const key = read(join(folder, 'key.pem'));
  return { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
}

function currentContext(config: string, read: ReadFile): string | undefined {
  const value = json(read(join(config, 'config.json')))?.currentContext;
  return typeof value === 'string' ? value : undefined;
}

function contextAddress(config: string, context: string, read: ReadFile): EngineAddress {
  const id = createHash('sha256').update(context).digest('hex');
  const meta = json(read(join(config, 'contexts/meta', id, 'meta.json')));
  const endpoints = meta?.Endpoints as { docker?: { Host?: unknown } } | undefined;
  const host = endpoints?.docker?.Host;
  if (typeof host !== 'string' || host === '') {
    throw new Failure(
      'engine-unreachable',
      `The docker context "${context}" is chosen, and there is no such context in ${config}.`,
      { remedy: 'Choose another with `docker context use`, or set `docker-host`.' },
    );
  }
  const tls = tlsFiles(join(config, 'contexts/tls', id, 'docker'), read);
  return {
    address: host,
    from: `docker context ${context}`,
    ...(tls.ca || tls.cert ? { tls } : {}),
  };
}

function json(bytes: Uint8Array | undefined): Record<string, unknown> | undefined {
  if (!bytes) return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString());
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
