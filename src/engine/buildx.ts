import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Digest, isDigest } from '../oci/digest.ts';
import { Failure } from '../outcome.ts';
import { buildFailure } from './build-failure.ts';
import { type BuildxRequest, planBuildx } from './buildx-plan.ts';
import type { Progress } from './engine.ts';
import { readJsonValues } from './json-values.ts';
import { readLines } from './message-stream.ts';
import { type EngineClock, type PushTry, pushWithRetries } from './push-retry.ts';
import { hostOf } from './registry-host.ts';
import { watchSolve } from './solve-progress.ts';
import { parseRawJson } from './solve-status.ts';

export interface BuildxOptions {
  /** Address of the engine whose builder is meant, as DOCKER_HOST has it. */
  readonly address: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A folder of ours alone; what is put there is removed after each build. */
  readonly scratch: string;
  readonly clock: EngineClock;
  readonly signal: AbortSignal;
  /** Our own sentences about repeated pushes. */
  readonly tell?: (text: string) => void;
}

/** How one run of the builder ended: an image in the engine by id, or the end of a push. */
type Ended = { readonly imageId: string } | PushTry;

export interface Buildx {
  /** `docker` builds for one platform at a time unless the engine has the containerd store. */
  driver(): Promise<string>;
  /** Builds for one platform, into the engine. Fails with `builder-missing` or `build-failed`. */
  build(request: BuildxRequest, onProgress: (progress: Progress) => void): Promise<{ imageId: string }>;
  /** Builds for all platforms at once and pushes the index; fails besides as pushes of the engine do. */
  push(request: BuildxRequest, onProgress: (progress: Progress) => void): Promise<{ digest: Digest }>;
}

/** Variables of the environment that the Docker command line may have; no other, since builds print them at will. */
const passed = [
  'PATH',
  'DOCKER_CERT_PATH',
  'DOCKER_TLS_VERIFY',
  'BUILDX_BUILDER',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
];

/** The `docker buildx` command, run without a shell and with a configuration folder of its own. */
export function createBuildx(options: BuildxOptions): Buildx {
  return {
    driver: () =>
      inFolder(options, async (folder) => {
        const { code, out, err } = await run(options, folder, ['buildx', 'inspect'], {});
        if (code !== 0) throw missing(err);
        return /^Driver:\s*(\S+)/m.exec(out)?.[1] ?? 'unknown';
      }),
    async build(request, onProgress) {
      const ended = await inFolder(options, (folder) => build(options, folder, request, false, onProgress));
      if ('imageId' in ended) return ended;
      throw new Failure('engine-failed', 'buildx ended the build without naming an image.');
    },
    push: (request, onProgress) =>
      pushWithRetries(
        async () => {
          const ended = await inFolder(options, (folder) =>
            build(options, folder, request, true, onProgress),
          );
          return 'imageId' in ended ? { failed: 'buildx named no digest' } : ended;
        },
        {
          reference: request.tag,
          host: hostOf(request.tag),
          clock: options.clock,
          signal: options.signal,
          options: {},
          tell: options.tell ?? (() => {}),
        },
      ),
  };
}

async function build(
  options: BuildxOptions,
  folder: string,
  request: BuildxRequest,
  push: boolean,
  onProgress: (progress: Progress) => void,
): Promise<Ended> {
  const metadata = join(folder, 'metadata.json');
  const plan = planBuildx(request, push, metadata);
  writeFileSync(join(folder, 'config.json'), plan.config, { mode: 0o600 });
  const child = start(options, folder, plan.argv, {
    ...plan.env,
    ...(request.ssh.length > 0 ? { SSH_AUTH_SOCK: options.env.SSH_AUTH_SOCK } : {}),
  });
  const context = request.context() as NodeJS.ReadableStream & { destroy(error?: Error): void };
  const watch = watchSolve(onProgress);
  const said: string[] = [];
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const value of readJsonValues(readLines(stream as AsyncIterable<Uint8Array>))) {
      const status = 'json' in value ? parseRawJson(value.json) : undefined;
      if (status) watch.take(status);
      else said.push('json' in value ? value.json : value.text);
    }
  };
  let broken: unknown;
  context.on('error', (cause) => {
    broken = cause;
    child.kill('SIGTERM');
  });
  // A build that fails early closes its input before it has read all of it; its own words say why.
  child.stdin?.on('error', () => context.destroy());
  context.pipe(child.stdin!);
  const [code] = await Promise.all([exitOf(child), read(child.stdout!), read(child.stderr!)]);
  context.destroy();
  watch.end();
  if (options.signal.aborted) throw new Failure('cancelled');
  if (broken) throw broken;
  if (code !== 0) return failed(request, push, said, watch.failed());
  const written = JSON.parse(readFileSync(metadata, 'utf8')) as Record<string, unknown>;
  const digest = written['containerimage.digest'];
  if (typeof digest !== 'string' || !isDigest(digest)) {
    throw new Failure('engine-failed', 'buildx ended the build without naming an image.');
  }
  return push ? { digest } : { imageId: digest };
}

/** Words of buildx about a build that failed: the last `ERROR:` line says why. */
function failed(
  request: BuildxRequest,
  push: boolean,
  said: readonly string[],
  step: ReturnType<ReturnType<typeof watchSolve>['failed']>,
): Ended {
  const error = said.findLast((line) => /^ERROR: /.test(line)) ?? said.at(-1) ?? 'no message';
  const message = error.replace(/^ERROR: (?:failed to build: )?(?:failed to solve: )?/, '').trim();
  if (/unknown (?:command|flag)|is not a docker command|unknown shorthand/.test(message))
    throw missing(message);
  if (push && (!step || /^(?:exporting|pushing)/.test(step.step))) return { failed: message };
  throw buildFailure(message, undefined, step, request);
}

/** Calls with a fresh folder that nobody else can read, and removes it. */
async function inFolder<T>(options: BuildxOptions, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(options.scratch, 'buildx-'));
  try {
    const own = options.env.DOCKER_CONFIG ?? join(options.env.HOME ?? '/', '.docker');
    // The plugin may be installed for the user only, and not where the command line looks by itself.
    if (existsSync(join(own, 'cli-plugins')))
      symlinkSync(join(own, 'cli-plugins'), join(folder, 'cli-plugins'));
    mkdirSync(join(folder, 'home'));
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(
  { env, address, signal }: BuildxOptions,
  folder: string,
  argv: readonly string[],
  more: Readonly<Record<string, string | undefined>>,
): ChildProcess {
  const kept = Object.fromEntries(
    passed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  const own = env.DOCKER_CONFIG ?? join(env.HOME ?? '/', '.docker');
  return spawn('docker', argv, {
    // Builders that the user made are remembered there.
    env: {
      ...kept,
      BUILDX_CONFIG: env.BUILDX_CONFIG ?? join(own, 'buildx'),
      ...more,
      DOCKER_HOST: address,
      DOCKER_CONFIG: folder,
      HOME: join(folder, 'home'),
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGTERM',
  });
}

async function run(
  options: BuildxOptions,
  folder: string,
  argv: readonly string[],
  more: Record<string, string>,
) {
  const child = start(options, folder, argv, more);
  child.stdin?.end();
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const code = await exitOf(child);
  if (options.signal.aborted) throw new Failure('cancelled');
  return { code, out, err };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') reject(missing('there is no program `docker`'));
      else if (cause.name === 'AbortError') resolve(null);
      else reject(new Failure('engine-failed', `docker could not be started: ${cause.message}`, { cause }));
    });
    child.once('close', (code) => resolve(code));
  });
}

function missing(said: string): Failure {
  const words = said.replace(/\s+/g, ' ').trim().slice(0, 200);
  return new Failure('builder-missing', `\`docker buildx\` is needed and does not work here: ${words}`);
}
