import { Failure } from '../outcome.ts';
import type { BuildRequest, Credential } from './engine.ts';

/** A build that goes through `docker buildx build`. */
export interface BuildxRequest extends Omit<BuildRequest, 'platform' | 'hideDockerfile' | 'pull'> {
  readonly platforms: readonly string[];
  /** Of the index, where one is pushed. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly cacheTo: readonly string[];
  /** By id. */
  readonly secrets: Readonly<Record<string, string>>;
  /** `default`, or `id=socket-or-key`, as `--ssh` takes it. */
  readonly ssh: readonly string[];
  /** By registry host. */
  readonly credentials: ReadonlyMap<string, Credential>;
}

export interface BuildxPlan {
  readonly argv: readonly string[];
  /** Values of secrets, which thus are neither in argv nor in files. */
  readonly env: Readonly<Record<string, string>>;
  /** The Docker config file of this one build. */
  readonly config: string;
}

/** The command line of a build that pushes, or that loads the image into the engine. The context comes on standard input, so that it is the one that the recipe names. */
export function planBuildx(request: BuildxRequest, push: boolean, metadataFile: string): BuildxPlan {
  const env: Record<string, string> = {};
  const secrets = Object.entries(request.secrets).map(([id, value], index) => {
    // The flag is a list of comma-separated fields.
    if (!/^[A-Za-z0-9_.-]{1,128}$/.test(id)) {
      throw new Failure(
        'setting-invalid',
        `${JSON.stringify(id.slice(0, 140))} in \`secrets\` cannot be the id of a secret.`,
        {
          remedy: 'Use letters, digits, `_`, `.` and `-`.',
        },
      );
    }
    env[`KNOWNGOOD_SECRET_${index}`] = value;
    return `--secret=id=${id},env=KNOWNGOOD_SECRET_${index}`;
  });
  const buildArgs = { ...request.buildKitArgs, ...request.buildArgs };
  const argv = [
    'buildx',
    'build',
    '--progress=rawjson',
    // Attestations of the builder would make every build another image; ours are signed and attached apart.
    '--provenance=false',
    '--sbom=false',
    `--metadata-file=${metadataFile}`,
    `--file=${request.dockerfile}`,
    `--tag=${request.tag}`,
    push ? '--push' : '--load',
    ...(request.platforms.length > 0 ? [`--platform=${request.platforms.join(',')}`] : []),
    ...(request.target === undefined ? [] : [`--target=${request.target}`]),
    ...Object.entries(buildArgs).map(([name, value]) => `--build-arg=${name}=${value}`),
    ...Object.entries(request.labels).map(([key, value]) => `--label=${key}=${value}`),
    ...(push && request.platforms.length > 1
      ? Object.entries(request.annotations).map(([key, value]) => `--annotation=index:${key}=${value}`)
      : []),
    ...request.cacheFrom.map((source) => `--cache-from=${source}`),
    ...request.cacheTo.map((destination) => `--cache-to=${destination}`),
    ...request.ssh.map((agent) => `--ssh=${agent}`),
    ...secrets,
    ...(request.noCache ? ['--no-cache'] : []),
    '-',
  ];
  return { argv, env, config: dockerConfig(request.credentials) };
}

/** A Docker config file with these credentials, each for its own host, and nothing else of the user's. */
function dockerConfig(credentials: ReadonlyMap<string, Credential>): string {
  const auths: Record<string, Record<string, string>> = {};
  for (const [host, { username, password, identityToken, registryToken }] of credentials) {
    auths[host === 'docker.io' ? 'https://index.docker.io/v1/' : host] = {
      auth: Buffer.from(`${username}:${password}`).toString('base64'),
      ...(identityToken === undefined ? {} : { identitytoken: identityToken }),
      ...(registryToken === undefined ? {} : { registrytoken: registryToken }),
    };
  }
  return `${JSON.stringify({ auths })}\n`;
}
