import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type Docker from 'dockerode';
import { Failure } from '../outcome.ts';
import { type EngineAddress, type EngineEnvironment, engineAddresses } from './address.ts';
import type { EngineInfo } from './engine.ts';
import type { EngineClock } from './push-retry.ts';

/** How long one address may take to answer, and all of them together. */
const oneMs = 4_000;
const allMs = 9_000;

/** Before an engine that does not listen yet is asked again. */
const againMs = 250;

export interface Connection {
  readonly docker: Docker;
  readonly info: EngineInfo;
}

/**
 * The first engine that answers. `engine-unreachable` within 10 seconds if none does, with what was tried and
 * why it did not answer.
 */
export async function connect(
  setting: string | undefined,
  env: EngineEnvironment,
  signal: AbortSignal,
  { sleep }: Pick<EngineClock, 'sleep'>,
): Promise<Connection> {
  const { default: Client } = await import('dockerode');
  const tried: string[] = [];
  const all = AbortSignal.timeout(allMs);
  for (const address of engineAddresses(setting, env, readIfThere)) {
    let docker: Docker;
    try {
      docker = new Client(clientOptions(address));
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      tried.push(`${address.address} (${address.from}): ${reasonOf(cause)}`);
      continue;
    }
    try {
      return {
        docker,
        info: await patiently(address, AbortSignal.any([signal, all]), sleep, () =>
          ask(docker, address, AbortSignal.any([signal, all, AbortSignal.timeout(oneMs)])),
        ),
      };
    } catch (cause) {
      if (signal.aborted) throw new Failure('cancelled', undefined, { cause });
      tried.push(`${address.address} (${address.from}): ${reasonOf(cause)}`);
    }
  }
  throw new Failure('engine-unreachable', `No container engine answered. Tried: ${tried.join('; ')}.`);
}

/**
 * dockerode merges DOCKER_HOST and its companions into whatever it is given, so every field that it would take
 * from the environment is set here, some to `undefined`.
 */
function clientOptions(address: EngineAddress): Docker.DockerOptions {
  const url = new URL(address.address);
  const base = {
    timeout: undefined,
    pathPrefix: '/',
    headers: {},
    ca: undefined,
    cert: undefined,
    key: undefined,
  };
  if (url.protocol === 'unix:' || url.protocol === 'npipe:') {
    const socketPath = decodeURIComponent(url.pathname);
    const agent = new HttpAgent({ keepAlive: false });
    return {
      ...base,
      socketPath,
      host: undefined,
      port: undefined,
      protocol: 'http',
      agent,
    } as Docker.DockerOptions;
  }
  if (url.protocol !== 'tcp:' && url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Failure(
      'engine-unreachable',
      `The engine address ${address.address} (${address.from}) is of a kind that is not spoken here.`,
      { remedy: 'Use a unix:// or tcp:// address; forward the socket where the engine is reached over ssh.' },
    );
  }
  const secured = address.tls !== undefined;
  const files = Object.fromEntries(
    Object.entries(address.tls ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes)]),
  );
  return {
    ...base,
    ...files,
    socketPath: undefined,
    host: url.hostname,
    port: url.port || (secured ? '2376' : '2375'),
    protocol: secured ? 'https' : 'http',
    agent: secured ? new HttpsAgent({ keepAlive: false, ...files }) : new HttpAgent({ keepAlive: false }),
  } as unknown as Docker.DockerOptions;
}

/** A CI's service, as `docker:dind`, starts side by side with the step that needs it: not yet there is not "no". */
async function patiently<T>(
  { address }: EngineAddress,
  signal: AbortSignal,
  sleep: EngineClock['sleep'],
  once: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await once();
    } catch (cause) {
      const starting = /^tcp:/.test(address) && ['ECONNREFUSED', 'ENOTFOUND'].includes(codeOf(cause));
      if (!starting || signal.aborted) throw cause;
      await sleep(againMs, signal);
    }
  }
}

const codeOf = (cause: unknown): string => String((cause as { code?: unknown }).code);

/** The typings lack the options of these two calls. */
interface Asking {
  version(call: {
    abortSignal: AbortSignal;
  }): Promise<Docker.DockerVersion & { Components?: readonly { Name: string }[] }>;
  info(call: { abortSignal: AbortSignal }): Promise<{ DriverStatus?: readonly [string, string][] | null }>;
}

async function ask(docker: Docker, address: EngineAddress, signal: AbortSignal): Promise<EngineInfo> {
  const asking = docker as unknown as Asking;
  const version = await asking.version({ abortSignal: signal });
  if (typeof version?.ApiVersion !== 'string') {
    throw new Failure('engine-unreachable', 'something answered that is not a container engine');
  }
  const kind = version.Components?.some((part) => /podman/i.test(part.Name)) ? 'podman' : 'docker';
  const info = await asking.info({ abortSignal: signal });
  const containerd =
    info.DriverStatus?.some(([, value]) => /^io\.containerd\.snapshotter/.test(value)) ?? false;
  return {
    kind,
    version: version.Version,
    api: version.ApiVersion,
    store: kind === 'podman' ? 'podman' : containerd ? 'containerd' : 'overlay',
    platform: `${version.Os}/${version.Arch}`,
    address: address.address,
  };
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function reasonOf(cause: unknown): string {
  const error = cause as { name?: unknown; message?: unknown };
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'no answer in time';
  const known: Record<string, string> = {
    ENOENT: 'no such socket',
    ECONNREFUSED: 'nothing listens there',
    EACCES: 'permission denied',
    ENOTFOUND: 'no such host',
    ETIMEDOUT: 'no answer in time',
  };
  return (
    known[codeOf(cause)] ??
    String(error.message ?? error)
      .slice(0, 200)
      .trim()
  );
}
