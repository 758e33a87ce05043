import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { distribution, hasApt } from './apt.ts';
import { type BaseImage, makeBaseImage } from './base-images.ts';
import { canBeRoot } from './command.ts';
import { type EngineFacts, engineApi } from './docker-api.ts';
import { basePackages, type OwnEngineName, programEnv } from './engine-programs.ts';
import { findEngine } from './found-engine.ts';
import { type Image, loadImage, pushImage } from './image.ts';
import { startDocker } from './own-engine.ts';
import { startPodman } from './podman-engine.ts';
import { type RegistryOptions, type RunningRegistry, startRegistry } from './registry.ts';
import { beginRun, type Run, type RunPlace, sameRun } from './run.ts';
import { linkPlugin, type ToolName, tool } from './tools.ts';

export type { BaseImage } from './base-images.ts';
export type { EngineFacts } from './docker-api.ts';
export { type Fault, type FaultProxy, faultProxy, type Recorded } from './fault-proxy.ts';
export { type GitServer, gitServer } from './git-server.ts';
export type { RegistryOptions, RunningRegistry } from './registry.ts';
export { gitEnv, makeBareCopy, makeRepository, type Repository } from './repositories.ts';
export type { ToolName } from './tools.ts';

/**
 * `default`: in a test run the shared one; else one that answers already; else the distribution's, our own.
 * `own`: the distribution's, started for this caller alone. A name: that engine, also started for this caller.
 */
export type EngineChoice = OwnEngineName | 'own' | 'none';

export interface SandboxOptions {
  readonly engine?: EngineChoice;
}

export interface Sandbox {
  /** As DOCKER_HOST has it; '' without an engine. */
  readonly dockerHost: string;
  /** `found`: it ran before and goes on running. */
  readonly engine: EngineFacts & { readonly found: boolean };
  /** An open OCI registry over plain HTTP: `127.0.0.1:<port>`. */
  readonly registry: { readonly host: string };
  /** Environment for programs that are to use this sandbox: PATH, DOCKER_HOST, DOCKER_CONFIG, libraries. */
  readonly env: Readonly<Record<string, string>>;
  /** Puts a base image into registry and engine; returns its full reference, for FROM lines. */
  base(name: BaseImage): Promise<string>;
  /** Puts an image made with `makeImage` into registry and engine as `<registry>/<repository>:<tag>`; returns that. */
  image(repository: string, tag: string, image: Image): Promise<string>;
  /** Path of a pinned program; docker's plugins are linked so that `docker buildx` and `docker compose` work. */
  tool(name: ToolName): Promise<string>;
  /** Starts a further registry; `stop()` of the sandbox stops it too. */
  startRegistry(options?: RegistryOptions): Promise<RunningRegistry>;
  /** Stops and removes everything; does nothing where the sandbox is a test run's shared one. */
  stop(): Promise<void>;
}

/** What identifies a running sandbox; plain data, so that it can be handed to other processes. */
interface Facts extends Pick<Sandbox, 'dockerHost' | 'engine' | 'registry' | 'env'> {
  readonly run: RunPlace;
}

const sharedAs = 'KNOWNGOOD_SANDBOX';

const whatToInstall =
  'No container engine answers and none can be brought here: install and start Docker (or Podman with its socket); on Debian and Ubuntu running this as root or with passwordless sudo is enough.';

const needsApt =
  'The registry and the base images of the sandbox come from packages of Debian or Ubuntu: run this on one of them.';

/** A real engine and a real registry. Everything it made is gone after `stop()`, and after a crash of the owner too. */
export async function sandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const choice = options.engine ?? 'default';
  const shared = process.env[sharedAs];
  if (choice === 'default' && shared !== undefined) {
    const facts = JSON.parse(shared) as Facts;
    return opened(facts, sameRun(facts.run), async () => {});
  }
  const found = choice === 'default' ? await findEngine() : undefined;
  const own = !found && choice !== 'none';
  const apt = await hasApt();
  if (own && !(apt && (await canBeRoot()))) throw new Error(whatToInstall);
  if (!apt) throw new Error(needsApt);
  const base = await basePackages();
  const run = await beginRun(own, programEnv(base.root));
  try {
    const name = choice === 'own' || choice === 'none' ? 'default' : choice;
    const started = own
      ? await (name === 'podman' ? startPodman(run, base) : startDocker(run, base, name))
      : undefined;
    const programs = started?.env ?? programEnv(base.root);
    const registry = await startRegistry(run, programs);
    const dockerHost = started?.host ?? found?.host ?? '';
    const none = { kind: 'docker', version: '', api: '', store: 'overlay' } as const;
    const dockerConfig = join(run.folder, 'docker-config');
    mkdirSync(dockerConfig);
    const facts: Facts = {
      run,
      dockerHost,
      engine: { ...(started?.facts ?? found?.facts ?? none), found: found !== undefined },
      registry: { host: registry.host },
      env: { ...programs, DOCKER_HOST: dockerHost, DOCKER_CONFIG: dockerConfig },
    };
    const stop = async () => {
      if (found) await leaveAsFound(found.host, registry.host);
      await run.remove();
    };
    return opened(facts, run, stop);
  } catch (cause) {
    await run.remove().catch(() => {});
    throw cause;
  }
}

/**
 * Which engines can be started here whatever else runs: tests that are about an engine of their own are left out
 * elsewhere. `suites`: engines and tools of Debian suites other than the machine's.
 */
export async function canStart(): Promise<{ readonly own: boolean; readonly suites: boolean }> {
  const own = (await hasApt()) && (await canBeRoot());
  return { own, suites: own && distribution().id === 'debian' };
}

/** Lets `sandbox()` in this process and its children find this one instead of starting another. */
export function shareSandbox(box: Sandbox): void {
  process.env[sharedAs] = JSON.stringify(factsOf.get(box));
}

const factsOf = new WeakMap<Sandbox, Facts>();

function opened(facts: Facts, run: Run, stop: () => Promise<void>): Sandbox {
  const { dockerHost, engine, registry, env } = facts;
  const image = async (repository: string, tag: string, made: Image): Promise<string> => {
    const reference = `${registry.host}/${repository}:${tag}`;
    await pushImage(registry.host, repository, tag, made);
    if (dockerHost !== '') await loadImage(dockerHost, [reference], made);
    return reference;
  };
  const box: Sandbox = {
    dockerHost,
    engine,
    registry,
    env,
    image,
    base: async (name) => image(`base/${name}`, '1', await makeBaseImage(name)),
    tool: async (name) => {
      const plugin = name === 'docker-buildx' || name === 'docker-compose';
      return (plugin ? await linkPlugin(name, env.DOCKER_CONFIG!) : await tool(name)).path;
    },
    startRegistry: (options) => startRegistry(run, env, options),
    stop,
  };
  factsOf.set(box, facts);
  return box;
}

/** Removes from an engine that is not ours the images named after our registry, whose port was ours alone. */
async function leaveAsFound(dockerHost: string, registry: string): Promise<void> {
  const answer = await engineApi(dockerHost, 'GET', '/images/json');
  const images = JSON.parse(answer.body.toString()) as { RepoTags?: string[]; RepoDigests?: string[] }[];
  const names = images.flatMap(({ RepoTags, RepoDigests }) => [...(RepoTags ?? []), ...(RepoDigests ?? [])]);
  for (const name of names.filter((one) => one.startsWith(`${registry}/`))) {
    await engineApi(dockerHost, 'DELETE', `/images/${encodeURIComponent(name)}?force=0`);
  }
}
