import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { engineFailure, engineStatus } from '../../engine/dockerode-failure.ts';
import { Failure } from '../../outcome.ts';
import { runChild } from '../child.ts';
import { checkedModel, composeEnv } from '../compose-config.ts';
import { composePlan } from '../compose-plan.ts';
import { pause } from '../deadline.ts';
import { joinNetwork, leaveNetwork } from '../join.ts';
import type { DeployPlan, Release } from '../plan.ts';
import type { Site } from '../site.ts';
import { stackModel } from '../stack-model.ts';
import { stackServices, stackStates, updateView } from '../stack-state.ts';
import { makeStackThings } from '../stack-things.ts';
import { composeUpFailure } from './compose-failure.ts';
import { fingerprintOf, mountsOf, networksOf, ownImages, ownServices, pullAll } from './compose-parts.ts';
import type { Deployment } from './deployment.ts';
import { SUBJECT_PIDS } from './image.ts';

type SwarmDeploy = Extract<DeployPlan, { kind: 'swarm' }>;

/** How long swarm may take to end a stack's containers. */
const GONE_MS = 20_000;

/** A stack on the engine's own single-node swarm. Swarm replaces versions itself. */
export function swarmDeployment(
  site: Site,
  deploy: SwarmDeploy,
  ports: readonly number[],
  scope: string,
): Deployment {
  const { docker, name, journal } = site;
  const project = name.name(scope);
  const rendered = join(site.programs.home, `${project}.json`);
  const target = site.plan.target.service;
  let current:
    | { images: Map<string, string>; own: Set<string>; fingerprint: string; networks: string[] }
    | undefined;

  const prepare = async (release: Release, signal: AbortSignal): Promise<void> => {
    const model = await checkedModel(site, release, project, deploy.files, [], signal);
    if (model.services?.[target] === undefined) {
      throw new Failure(
        'compose-invalid',
        `There is no service \`${target}\`, only ${Object.keys(model.services ?? {}).join(', ')}.`,
      );
    }
    const images = await ownImages(site, model, release);
    await pullAll(site, model, images, signal);
    const fingerprint = fingerprintOf(model, release.folder, project, images);
    const mounts = await mountsOf(site, scope, release, model, images, ['volumes'], signal);
    const ready = await makeStackThings(site, model, project, release.folder);
    const { model: planned, send } = composePlan({
      model: ready,
      project,
      target,
      ports,
      publish: site.where.kind === 'host' ? { bind: '', mode: 'host' } : undefined,
      images,
      runLabels: name.labels(),
      mounts,
      allow: site.plan.allow,
      pids: SUBJECT_PIDS,
    });
    const sent = send[0];
    if (sent !== undefined) {
      throw new Failure(
        'workspace-not-mountable',
        `\`${sent.service}\` mounts a single file that the engine cannot see: ${sent.target}.`,
        {
          remedy: 'Use a config of the stack for it, or mount its folder.',
        },
      );
    }
    planned.networks = ready.networks ?? {};
    for (const kind of ['secrets', 'configs'] as const) planned[kind] = ready[kind] ?? {};
    for (const service of Object.values(planned.services ?? {})) {
      service.deploy = { ...service.deploy, labels: { ...service.deploy?.labels, ...name.labels() } };
    }
    for (const service of Object.keys(planned.services ?? {}))
      journal.note('service', `${project}_${service}`);
    for (const volume of Object.values(planned.volumes ?? {}))
      if (volume?.name !== undefined) journal.note('volume', volume.name);
    writeFileSync(rendered, JSON.stringify(stackModel(planned)));
    const wanted = new Map<string, string>();
    for (const [service, { image }] of Object.entries(planned.services ?? {})) {
      if (image !== undefined) wanted.set(service, (await docker.getImage(image).inspect()).Id);
    }
    current = {
      images: wanted,
      own: ownServices(model, images),
      fingerprint,
      networks: networksOf(planned, target),
    };
  };

  return {
    project,
    inPlace: true,
    async up(release, signal) {
      await oneNode(site, signal);
      await prepare(release, signal);
      const record = site.logs.record(`${scope}-${release.role}`, 'stack');
      const ended = await runChild({
        // Images are pulled already, and by digest or name exactly what was checked; services that are gone go.
        argv: [
          'docker',
          'stack',
          'deploy',
          '--resolve-image',
          'never',
          '--prune',
          '--compose-file',
          rendered,
          project,
        ],
        cwd: site.programs.home,
        env: composeEnv(site, {}),
        graceMs: 1000,
        signal,
        write: record.write,
      });
      await record.end(ended.exitCode);
      if (ended.exitCode !== 0) throw composeUpFailure(site.logs.redact(ended.tail), ended.exitCode);
      for (const network of current?.networks ?? []) await joinNetwork(site, network);
    },
    halt: async () => undefined,
    services: (signal) => stackStates(docker, project, signal),
    wanted: async () => current?.images ?? new Map(),
    own: () => current?.own ?? new Set(),
    fingerprint: () => current?.fingerprint ?? '',
    networks: () => current?.networks ?? [],
    async update(signal) {
      return updateView(project, await stackServices(docker, project, signal));
    },
    async down(signal) {
      for (const network of current?.networks ?? []) await leaveNetwork(site, network);
      await removeStack(site, project, signal);
    },
  };
}

/** With several nodes a task would run where its volumes and its ports are not. */
async function oneNode(site: Site, signal: AbortSignal): Promise<void> {
  const info = (await site.docker.info().catch((cause: unknown) => {
    throw engineFailure(cause, 'asking for the swarm', signal);
  })) as { Swarm?: { ControlAvailable?: boolean; Nodes?: number } };
  if (info.Swarm?.ControlAvailable !== true) throw new Failure('swarm-missing');
  if (info.Swarm.Nodes !== 1)
    throw new Failure(
      'swarm-missing',
      `The swarm has ${info.Swarm.Nodes} nodes, and a test needs one of its own.`,
    );
}

async function removeStack(site: Site, project: string, signal: AbortSignal): Promise<void> {
  const { docker } = site;
  try {
    for (const { ID } of await stackServices(docker, project, signal)) {
      await docker
        .getService(ID)
        .remove()
        .catch((cause: unknown) => {
          if (engineStatus(cause) !== 404) throw cause;
        });
    }
    for (const until = performance.now() + GONE_MS; performance.now() < until; ) {
      const left = await docker.listContainers({
        all: true,
        filters: { label: [`com.docker.stack.namespace=${project}`] },
      });
      if (left.length === 0) return;
      await pause(100, signal);
    }
  } catch (cause) {
    throw engineFailure(cause, 'taking down the stack', signal);
  }
}
