import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type Docker from 'dockerode';
import { busyboxLayer } from '../../../sandbox/base-images.ts';
import { type Entry, type ImageConfig, makeImage } from '../../../sandbox/image.ts';
import { type EngineChoice, type Sandbox, sandbox } from '../../../sandbox/index.ts';
import type { EngineInfo } from '../../../src/engine/engine.ts';
import { isSwarmManager } from '../../../src/harness/clean-up.ts';
import { type HarnessInput, runTest } from '../../../src/harness/harness.ts';
import type { Phase, TestRun } from '../../../src/harness/outcome-of-run.ts';
import type { Release, TestPlan } from '../../../src/harness/plan.ts';
import { type Server, serverLayer } from './programs.ts';
import { portsOfNobody } from './published-ports.ts';
import { clientOf, inputFor, type RunRequest } from './request.ts';

/** Real runs of the harness on the test run's engine. */
export interface Trial {
  readonly box: Sandbox;
  readonly docker: Docker;
  readonly info: EngineInfo;
  /** Puts busybox with these files into the engine; returns the reference. `servers`: real programs beside it. */
  image(
    name: string,
    tag: string,
    entries: readonly Entry[],
    config?: ImageConfig,
    ...servers: readonly Server[]
  ): Promise<string>;
  run(request: TrialRequest): Promise<TrialResult>;
  /** The same as data, for another process; its `out` is not made yet. */
  request(plan: TrialRequest['plan'], candidate: Release, bases?: readonly Release[]): RunRequest;
  /** A folder of this trial, gone at the end. */
  folder(name: string): string;
  close(): Promise<void>;
}

export interface TrialRequest {
  readonly plan: Partial<TestPlan> & Pick<TestPlan, 'deploy'>;
  readonly candidate: Release;
  readonly bases?: readonly Release[];
  readonly signal?: AbortSignal;
  readonly id?: string;
  readonly more?: Partial<HarnessInput>;
}

export interface TrialResult {
  readonly id: string;
  readonly result: TestRun;
  readonly phases: readonly Phase[];
  readonly said: readonly string[];
  readonly out: string;
}

export async function openTrial(engine?: EngineChoice): Promise<Trial> {
  const box = await sandbox(engine === undefined ? {} : { engine });
  await box.tool('docker-compose');
  const path = `${dirname(await box.tool('docker'))}:${box.env.PATH}`;
  const docker = clientOf(box.dockerHost);
  const root = mkdtempSync(join(tmpdir(), 'kg-trial-'));
  const layer = await busyboxLayer();
  const info: EngineInfo = {
    kind: box.engine.kind,
    version: box.engine.version,
    api: box.engine.api,
    store: box.engine.store,
    platform: 'linux/amd64',
    address: box.dockerHost,
  };
  let runs = 0;
  const request: Trial['request'] = (plan, candidate, bases = []) => ({
    plan: planWith(plan),
    candidate,
    bases,
    engine: info,
    out: join(root, `out-${++runs}`),
    id: randomId(),
    path,
    pluginFolders: [join(box.env.DOCKER_CONFIG!, 'cli-plugins')],
  });
  return {
    request,
    box,
    docker,
    info,
    image: async (name, tag, entries, config = {}, ...servers) =>
      box.image(
        `harness/${name}`,
        tag,
        await makeImage([layer, ...(await Promise.all(servers.map(serverLayer))), entries], {
          config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], ...config },
        }),
      ),
    folder(name) {
      const folder = join(root, name);
      mkdirSync(folder, { recursive: true });
      return folder;
    },
    async run({ plan, candidate, bases = [], signal, id, more }) {
      const phases: Phase[] = [];
      const said: string[] = [];
      const name = id ?? randomId();
      const out = join(root, `out-of-${name}`);
      mkdirSync(out, { recursive: true });
      const asked: RunRequest = { ...request(plan, candidate, bases), out, id: name };
      const input = inputFor(asked, {
        docker,
        signal: signal ?? new AbortController().signal,
        onPhase: (phase) => phases.push(phase),
        say: (text) => said.push(text),
      });
      return { id: name, result: await runTest({ ...input, ...more }), phases, said, out };
    },
    async close() {
      rmSync(root, { recursive: true, force: true });
      await box.stop();
    },
  };
}

export function planWith(plan: Partial<TestPlan> & Pick<TestPlan, 'deploy'>): TestPlan {
  return {
    recipe: 'trial',
    target: { service: 'app', port: 8000 },
    beforeUpgrade: [],
    check: [],
    tiers: [{ name: 'install' }, { name: 'upgrade' }],
    timeoutMs: 90_000,
    tierTimeoutMs: 60_000,
    graceMs: 500,
    env: {},
    allow: [],
    trusted: true,
    keep: false,
    ...plan,
  };
}

export function randomId(): string {
  return Math.random().toString(36).slice(2).padEnd(10, '0').slice(0, 10);
}

/** A release of a version; its commit is made from it, so that two versions have two commits. */
export function release(role: Release['role'], version: string, more: Partial<Release>): Release {
  const commit = Buffer.from(version).toString('hex').padEnd(40, '0').slice(0, 40);
  return { role, version, commit, folder: tmpdir(), ...more };
}

/** A release of one image. */
export function ofImage(
  role: Release['role'],
  version: string,
  reference: string,
  more: Partial<Release> = {},
): Release {
  return release(role, version, {
    image: { reference, repository: reference.replace(/[:@][^/]*$/, '') },
    ...more,
  });
}

/** By tier its verdict and reason: `{ install: 'pass', upgrade: 'fail crashed' }`. */
export function verdicts({ tiers }: Pick<TestRun, 'tiers'>): Record<string, string> {
  return Object.fromEntries(
    tiers.map(({ name, verdict, reason }) => [name, reason === undefined ? verdict : `${verdict} ${reason}`]),
  );
}

/** Everything on the engine and this machine that bears the run's name: empty after a run that cleaned up. */
export async function leftovers(docker: Docker, id: string, out?: string): Promise<string[]> {
  const mine = (name: string | undefined): boolean => name?.includes(`kg-${id}`) === true;
  const [containers, networks, volumes, images] = await Promise.all([
    docker.listContainers({ all: true }),
    docker.listNetworks(),
    docker.listVolumes(),
    docker.listImages(),
  ]);
  const manager = await isSwarmManager(docker);
  const swarm = manager
    ? await Promise.all([docker.listServices(), docker.listSecrets(), docker.listConfigs()])
    : [];
  return [
    ...(swarm.flat() as { Spec?: { Name?: string } }[]).flatMap(({ Spec }) =>
      mine(Spec?.Name) ? [`of the swarm ${Spec?.Name}`] : [],
    ),
    ...containers.flatMap(({ Names, Labels }) =>
      mine(Names[0]) || Object.values(Labels).some((value) => value === id) ? [`container ${Names[0]}`] : [],
    ),
    ...networks.flatMap(({ Name }) => (mine(Name) ? [`network ${Name}`] : [])),
    ...(volumes.Volumes ?? []).flatMap(({ Name }) => (mine(Name) ? [`volume ${Name}`] : [])),
    ...images.flatMap(({ RepoTags }) => (RepoTags ?? []).filter(mine).map((tag) => `image ${tag}`)),
    ...(await portsOfNobody(docker)),
    ...readdirSync(tmpdir()).flatMap((name) => (name.startsWith(`kg-${id}`) ? [`folder ${name}`] : [])),
    ...(out === undefined
      ? []
      : readdirSync(out).flatMap((name) => (name === 'logs' ? [] : [`file ${name}`]))),
  ];
}

/** Volumes without a name: a run must not add any. */
export async function anonymousVolumes(docker: Docker): Promise<number> {
  return ((await docker.listVolumes()).Volumes ?? []).filter(({ Name }) => /^[0-9a-f]{64}$/.test(Name))
    .length;
}
