import type Docker from 'dockerode';
import { engineFailure } from '../engine/dockerode-failure.ts';
import { Failure } from '../outcome.ts';
import { fillVolume } from './binds.ts';
import { childEnv, runChild } from './child.ts';
import { ignoring, type ServiceState } from './containers.ts';
import { pause } from './deadline.ts';
import type { Deployment } from './deploy/deployment.ts';
import { argvOf, drain, execIn, tailKeeper } from './exec.ts';
import { ENGINE_LOG, lastLinesOf } from './logs.ts';
import type { Command, Release } from './plan.ts';
import { lookHttp } from './probe.ts';
import { urlOf } from './reach.ts';
import { runningTarget, targetAddress } from './ready.ts';
import type { Site } from './site.ts';

/** Where a command runs: what is up, which release it is, and the name of the phase for its log. */
export interface Scene {
  readonly deployment: Deployment;
  readonly release: Release;
  readonly states: readonly ServiceState[];
  readonly phase: string;
  readonly tier: string;
}

export interface CommandEnd {
  readonly ok: boolean;
  /** What was asked, in one line. */
  readonly what: string;
  /** Why it is not ok. Untrusted text may be in it. */
  readonly why: string;
  /** Last lines of its own output. */
  readonly lines: readonly string[];
}

/** Limits of a container that runs a recipe's command. */
const COMMAND_LIMITS = { PidsLimit: 512, Memory: 2 * 1024 ** 3 } as const;

/** Runs one command of the recipe. Rejects only where it cannot be told how it ended. */
export async function runCommand(
  site: Site,
  command: Command,
  scene: Scene,
  signal: AbortSignal,
): Promise<CommandEnd> {
  switch (command.kind) {
    case 'exec':
      return inService(site, command, scene, signal);
    case 'run':
      return inOwnContainer(site, command, scene, signal);
    case 'http':
      return overHttp(site, command, scene, signal);
    case 'host':
      return onHost(site, command, scene, signal);
  }
}

/**
 * What a command is told, and nothing else. `url` is true where the command runs: inside the run's networks the
 * service's name, on the host the published port.
 */
export function commandEnv(site: Site, scene: Scene, url: string | undefined): Record<string, string> {
  const { plan } = site;
  const { release } = scene;
  return {
    ...plan.env,
    KNOWNGOOD_RECIPE: plan.recipe,
    KNOWNGOOD_ROLE: release.role,
    KNOWNGOOD_TIER: scene.tier,
    KNOWNGOOD_COMMIT: release.commit,
    KNOWNGOOD_VERSION: release.version ?? '',
    KNOWNGOOD_IMAGE: release.image?.reference ?? '',
    KNOWNGOOD_PROJECT: scene.deployment.project,
    KNOWNGOOD_SERVICE: plan.target.service,
    ...(plan.target.port === undefined ? {} : { KNOWNGOOD_PORT: String(plan.target.port) }),
    ...(url === undefined ? {} : { KNOWNGOOD_URL: url }),
  };
}

/** The subject's URL for containers on the run's network. */
export function insideUrl(site: Site): string | undefined {
  const { service, port } = site.plan.target;
  return port === undefined ? undefined : `http://${service}:${port}`;
}

async function inService(
  site: Site,
  command: Extract<Command, { kind: 'exec' }>,
  scene: Scene,
  signal: AbortSignal,
): Promise<CommandEnd> {
  const service = command.service ?? site.plan.target.service;
  const what = `exec in ${service}: ${shown(command.command)}`;
  const target = runningTarget(scene.states, service);
  if (target === undefined) return { ok: false, what, why: `\`${service}\` is not running`, lines: [] };
  const record = site.logs.record(scene.phase, `exec-${service}`);
  const env = commandEnv(site, scene, insideUrl(site));
  const ended = await timed(command.timeoutMs, signal, (limited) =>
    execIn(site.docker, target.id, command.command, env, record.write, limited),
  );
  await record.end(ended?.exitCode);
  return endOf(site, what, ended);
}

async function inOwnContainer(
  site: Site,
  command: Extract<Command, { kind: 'run' }>,
  scene: Scene,
  signal: AbortSignal,
): Promise<CommandEnd> {
  const { docker, name } = site;
  const what = `run: ${shown(command.command)}`;
  const image = command.image ?? runningTarget(scene.states, site.plan.target.service)?.imageId;
  if (image === undefined)
    return { ok: false, what, why: `\`${site.plan.target.service}\` is not running`, lines: [] };
  if (command.image !== undefined) await site.pull(command.image, signal);
  const tree = await treeVolume(site, image, signal);
  const argv = argvOf(command.command);
  const container = `${scene.deployment.project}-run-${counter(site)}`;
  site.journal.note('container', container);
  const record = site.logs.record(scene.phase, 'run');
  const tail = tailKeeper();
  const created = await docker
    .createContainer({
      name: container,
      Image: image,
      Entrypoint: argv.slice(0, 1),
      Cmd: argv.slice(1),
      Env: Object.entries(commandEnv(site, scene, insideUrl(site))).map(([key, value]) => `${key}=${value}`),
      Labels: name.labels(),
      Healthcheck: { Test: ['NONE'] },
      ...(tree === undefined ? {} : { WorkingDir: '/knowngood' }),
      HostConfig: {
        NetworkMode: scene.deployment.networks()[0] ?? 'none',
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        RestartPolicy: { Name: 'no' },
        LogConfig: ENGINE_LOG,
        ...COMMAND_LIMITS,
        ...hostsOf(site, scene),
        Mounts: (tree === undefined
          ? []
          : [{ Type: 'volume', Source: tree, Target: '/knowngood', ReadOnly: true }]) as never,
      },
      abortSignal: signal,
    })
    .catch((cause: unknown) => {
      throw engineFailure(cause, 'making a container for a command', signal);
    });
  try {
    const ended = await timed(command.timeoutMs, signal, async (limited) => {
      const stream = await created.attach({ stream: true, stdout: true, stderr: true, abortSignal: limited });
      const printed = drain(stream, false, limited, (channel, bytes) => {
        tail.add(bytes);
        record.write(channel, bytes);
      });
      printed.catch(() => undefined);
      await created.start({ abortSignal: limited } as never);
      await printed;
      return { exitCode: await exitCodeOf(created, limited), tail: tail.text() };
    });
    await record.end(ended?.exitCode);
    return endOf(site, what, ended);
  } catch (cause) {
    await record.end();
    throw signal.aborted ? signal.reason : engineFailure(cause, 'running a command', signal);
  } finally {
    // Not awaited beyond the run's end: clean-up knows the name.
    await ignoring([404, 409], created.remove({ force: true, v: true })).catch(() => undefined);
  }
}

async function overHttp(
  site: Site,
  command: Extract<Command, { kind: 'http' }>,
  scene: Scene,
  signal: AbortSignal,
): Promise<CommandEnd> {
  const what = `${command.method ?? 'GET'} ${command.path}`;
  const target = runningTarget(scene.states, site.plan.target.service);
  const port = command.port ?? site.plan.target.port;
  if (port === undefined) return { ok: false, what, why: 'no port is named', lines: [] };
  const address = targetAddress(site, scene.deployment, target, port);
  if (address === undefined)
    return {
      ok: false,
      what,
      why: `port ${port} of \`${site.plan.target.service}\` is not reachable`,
      lines: [],
    };
  const look = await lookHttp(address, command, 300, signal, 30_000);
  if (signal.aborted) throw signal.reason;
  return { ok: look.ok, what, why: site.logs.redact(look.seen), lines: [] };
}

/**
 * A command on the host sees what the job sees, so it is the release branch's own, never for untrusted authors, and
 * not where a credential is in reach unless the recipe says by name that it may be.
 */
async function onHost(
  site: Site,
  command: Extract<Command, { kind: 'host' }>,
  scene: Scene,
  signal: AbortSignal,
): Promise<CommandEnd> {
  allowHost(site);
  const what = `host: ${shown(command.command)}`;
  const target = runningTarget(scene.states, site.plan.target.service);
  const { port } = site.plan.target;
  const address = port === undefined ? undefined : targetAddress(site, scene.deployment, target, port);
  const env = childEnv(site.programs, {
    ...commandEnv(site, scene, address === undefined ? undefined : urlOf(address)),
    DOCKER_HOST: site.engine.address,
    DOCKER_CONFIG: site.programs.home,
  });
  const record = site.logs.record(scene.phase, 'host');
  const ended = await timed(command.timeoutMs, signal, (limited) =>
    runChild({
      argv: ['sh', '-c', command.command],
      cwd: site.plan.trustedTree ?? scene.release.folder,
      env,
      graceMs: site.plan.graceMs,
      write: record.write,
      signal: limited,
    }),
  );
  await record.end(ended?.exitCode);
  return endOf(site, what, ended);
}

/**
 * How a container ended whose output has ended. It is asked for rather than waited for: Podman's answer to a wait comes
 * 20 seconds late where nothing tidies up after the container.
 */
async function exitCodeOf(container: Docker.Container, signal: AbortSignal): Promise<number> {
  for (let ms = 5; ; ms = Math.min(ms * 2, 500)) {
    const { State } = await container.inspect({ abortSignal: signal });
    if (!State.Running && State.Status !== 'created') return State.ExitCode;
    await pause(ms, signal);
  }
}

/** Podman's older networks resolve no names, so the one that a command is told of is written down for it. */
function hostsOf(site: Site, scene: Scene): { ExtraHosts?: string[] } {
  if (site.engine.kind !== 'podman') return {};
  const { service } = site.plan.target;
  const target = runningTarget(scene.states, service);
  const [address] = scene.deployment.networks().flatMap((network) => target?.addresses[network] ?? []);
  return address === undefined ? {} : { ExtraHosts: [`${service}:${address}`] };
}

/** Refuses host commands where they may not run. Asked before anything is started, and again at each. */
export function allowHost(site: Pick<Site, 'plan' | 'programs'>): void {
  if (!site.plan.trusted) throw new Failure('host-commands-refused');
  const { credentials } = site.programs;
  if (credentials.length > 0 && !site.plan.allow.includes('credentials')) {
    throw new Failure(
      'credentials-in-test',
      `A command on the host would see ${credentials.map((name) => `\`${name}\``).join(', ')}.`,
    );
  }
}

/** The trusted tree in a volume of the run, filled once; containers get it read-only. */
async function treeVolume(site: Site, image: string, signal: AbortSignal): Promise<string | undefined> {
  const { trustedTree } = site.plan;
  if (trustedTree === undefined) return undefined;
  const volume = site.name.name('tree');
  const filling = trees.get(site) ?? fillVolume(site, volume, trustedTree, image, signal);
  trees.set(site, filling);
  await filling;
  return volume;
}

const trees = new WeakMap<Site, Promise<void>>();
const counters = new WeakMap<Site, number>();

function counter(site: Site): number {
  const next = (counters.get(site) ?? 0) + 1;
  counters.set(site, next);
  return next;
}

/** `undefined` where the command's own time was over; the run's own end rejects. */
async function timed<T>(
  ms: number | undefined,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  if (ms === undefined) return work(signal);
  const own = AbortSignal.timeout(ms);
  try {
    return await work(AbortSignal.any([signal, own]));
  } catch (cause) {
    if (own.aborted && !signal.aborted) return undefined;
    throw cause;
  }
}

function endOf(site: Site, what: string, ended: { exitCode: number; tail: string } | undefined): CommandEnd {
  if (ended === undefined) return { ok: false, what, why: 'it was not over in time', lines: [] };
  const ok = ended.exitCode === 0;
  return {
    ok,
    what,
    why: ok ? '' : `exit code ${ended.exitCode}`,
    lines: lastLinesOf(site.logs.redact(ended.tail)),
  };
}

function shown(command: string | readonly string[]): string {
  const line = (typeof command === 'string' ? command : command.join(' ')).replace(/\s+/g, ' ').trim();
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}
