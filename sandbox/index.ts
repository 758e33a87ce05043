import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BaseImage, makeBaseImage } from './base-images.ts';
import { canBeRoot } from './command.ts';
import type { EngineFacts } from './docker-api.ts';
import { findEngine } from './found-engine.ts';
import { loadImage, pushImage } from './image.ts';
import { basePackages, programEnv, startOwnEngine } from './own-engine.ts';
import { hasApt } from './packages.ts';
import { sandboxFolder } from './paths.ts';
import { startRegistry } from './registry.ts';
import { beginRun, type Run, sameRun } from './run.ts';

export type { BaseImage } from './base-images.ts';
export type { EngineFacts } from './docker-api.ts';

export type EngineChoice = 'default' | 'own' | 'none';

export interface SandboxOptions {
  /** `default`: the shared one of a test run, else one that answers already, else our own. `own`: ours. */
  readonly engine?: EngineChoice;
}

/** What identifies a running sandbox; plain data, so that it can be handed to other processes. */
interface Facts {
  readonly run: Pick<Run, 'id' | 'folder' | 'sockets' | 'privileged'>;
  readonly dockerHost: string;
  readonly engine: EngineFacts & { readonly found: boolean };
  readonly registry: { readonly host: string };
}

export interface Sandbox {
  /** As DOCKER_HOST has it; '' without an engine. */
  readonly dockerHost: string;
  readonly engine: EngineFacts & { readonly found: boolean };
  /** An open OCI registry over plain HTTP on loopback. */
  readonly registry: { readonly host: string };
  /** Environment for programs that are to use this sandbox: PATH, DOCKER_HOST, DOCKER_CONFIG. */
  readonly env: Readonly<Record<string, string>>;
  /** Puts a base image into registry and engine; returns its full reference, for FROM lines. */
  base(name: BaseImage): Promise<string>;
  /** Stops and removes everything; does nothing where the sandbox is a test run's shared one. */
  stop(): Promise<void>;
}

const sharedBy = 'KNOWNGOOD_SANDBOX';

const whatToInstall =
  'No container engine answers and none can be unpacked here: install and start Docker (or Podman with its socket) and a program named docker-registry.';

/** A real engine and a real registry. Everything it made is gone after `stop()`, and after a crash of the owner too. */
export async function sandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const choice = options.engine ?? 'default';
  const shared = process.env[sharedBy];
  if (choice === 'default' && shared !== undefined) {
    const facts = JSON.parse(shared) as Facts;
    return opened(facts, sameRun(facts.run), async () => {});
  }
  const found = choice === 'default' ? await findEngine() : undefined;
  const own = choice === 'own' || (choice === 'default' && !found);
  if (!(await hasApt()) || (own && !(await canBeRoot()))) throw new Error(whatToInstall);
  const base = await basePackages();
  const run = await beginRun(own);
  try {
    const started = own ? await startOwnEngine(run, base, undefined, false) : undefined;
    const registry = await startRegistry(run, ['docker-registry'], programEnv(base.root), 'registry');
    const none = { kind: 'docker', version: '', api: '', store: 'overlay' } as const;
    const facts: Facts = {
      run: { id: run.id, folder: run.folder, sockets: run.sockets, privileged: run.privileged },
      dockerHost: started?.host ?? found?.host ?? '',
      engine: { ...(started?.facts ?? found?.facts ?? none), found: found !== undefined },
      registry: { host: registry.host },
    };
    return await opened(facts, run, () => run.remove());
  } catch (cause) {
    await run.remove().catch(() => {});
    throw cause;
  }
}

/** Lets `sandbox()` in this process's children find this one instead of starting another. */
export function shareSandbox(box: Sandbox): void {
  process.env[sharedBy] = JSON.stringify(factsOf.get(box));
}

const factsOf = new WeakMap<Sandbox, Facts>();

async function opened(facts: Facts, _run: Run, stop: () => Promise<void>): Promise<Sandbox> {
  const { dockerHost, engine, registry } = facts;
  const packages = await basePackages();
  const dockerConfig = join(sandboxFolder, 'docker-config');
  mkdirSync(join(dockerConfig, 'cli-plugins'), { recursive: true });
  const box: Sandbox = {
    dockerHost,
    engine,
    registry,
    env: { ...programEnv(packages.root), DOCKER_HOST: dockerHost, DOCKER_CONFIG: dockerConfig },
    base: async (name) => {
      const image = await makeBaseImage(name);
      const reference = `${registry.host}/base/${name}:1`;
      await pushImage(registry.host, `base/${name}`, '1', image);
      if (dockerHost !== '') await loadImage(dockerHost, [reference], image);
      return reference;
    },
    stop,
  };
  factsOf.set(box, facts);
  return box;
}
