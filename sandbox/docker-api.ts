import { request } from 'node:http';

export interface ApiAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** One request to an engine's API. `host` as in DOCKER_HOST: `unix:///…`, `tcp://host:port` or `http://host:port`. */
export function engineApi(
  host: string,
  method: string,
  path: string,
  options: { body?: Buffer | string; headers?: Record<string, string>; timeoutMs?: number } = {},
): Promise<ApiAnswer> {
  const where = host.startsWith('unix://')
    ? { socketPath: host.slice('unix://'.length) }
    : { hostname: new URL(host).hostname, port: new URL(host).port || '2375' };
  return new Promise((resolve, reject) => {
    const call = request(
      {
        ...where,
        method,
        path,
        headers: { host: 'docker', ...options.headers },
        timeout: options.timeoutMs ?? 60_000,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
      },
    );
    call.on('timeout', () => call.destroy(new Error(`${host} did not answer ${method} ${path} in time`)));
    call.on('error', reject);
    call.end(options.body);
  });
}

export interface EngineFacts {
  readonly kind: 'docker' | 'podman';
  readonly version: string;
  readonly api: string;
  /** Where images are kept: `overlay` stands for every classic graph driver. */
  readonly store: 'overlay' | 'containerd' | 'podman';
}

/** What answers at `host`, or undefined where nothing does. */
export async function engineFacts(host: string, timeoutMs = 3000): Promise<EngineFacts | undefined> {
  try {
    const version = await engineApi(host, 'GET', '/version', { timeoutMs });
    const info = await engineApi(host, 'GET', '/info', { timeoutMs });
    if (version.status !== 200 || info.status !== 200) return undefined;
    const said = JSON.parse(version.body.toString()) as {
      Version: string;
      ApiVersion: string;
      Components?: { Name: string }[];
    };
    const { DriverStatus } = JSON.parse(info.body.toString()) as { DriverStatus?: [string, string][] };
    const podman = said.Components?.some((part) => part.Name.startsWith('Podman')) ?? false;
    const containerd = DriverStatus?.some(
      ([name, value]) => name === 'driver-type' && value.includes('containerd'),
    );
    const store = podman ? 'podman' : containerd ? 'containerd' : 'overlay';
    return { kind: podman ? 'podman' : 'docker', version: said.Version, api: said.ApiVersion, store };
  } catch {
    return undefined;
  }
}
