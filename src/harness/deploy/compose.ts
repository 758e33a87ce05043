import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { engineFailure } from '../../engine/dockerode-failure.ts';
import { Failure } from '../../outcome.ts';
import { runChild } from '../child.ts';
import { checkedModel, composeEnv, composeFlags } from '../compose-config.ts';
import type { ComposeModel } from '../compose-model.ts';
import { type ComposePlan, composePlan, type SentFile } from '../compose-plan.ts';
import { ignoring, removeContainers, type ServiceState, statesOf, stopAndRemove } from '../containers.ts';
import { pause } from '../deadline.ts';
import { joinNetwork, leaveNetwork } from '../join.ts';
import type { DeployPlan, Release } from '../plan.ts';
import { sendFiles } from '../send-files.ts';
import type { Site } from '../site.ts';
import { composeUpFailure, isBusy } from './compose-failure.ts';
import { fingerprintOf, mountsOf, networksOf, ownImages, ownServices, pullAll } from './compose-parts.ts';
import { whileNothingCrashes } from './compose-watch.ts';
import type { Deployment } from './deployment.ts';
import { SUBJECT_PIDS } from './image.ts';

type ComposeDeploy = Extract<DeployPlan, { kind: 'compose' }>;

/** Pause before a name or an address range that another run holds is asked for again. */
const BUSY_MS = 2000;

/** A compose application as one project of the run. */
export function composeDeployment(
  site: Site,
  deploy: ComposeDeploy,
  ports: readonly number[],
  scope: string,
): Deployment {
  const { docker, name, journal } = site;
  const project = name.name(scope);
  const rendered = join(site.programs.home, `${project}.json`);
  const target = site.plan.target.service;
  let current: { plan: ComposePlan; own: Set<string>; fingerprint: string } | undefined;

  const compose = async (words: readonly string[], phase: string, signal: AbortSignal) => {
    const record = site.logs.record(phase, 'compose');
    const ended = await runChild({
      argv: ['docker', 'compose', ...composeFlags(project, [rendered], []), '--progress', 'plain', ...words],
      cwd: site.programs.home,
      env: composeEnv(site, {}),
      graceMs: 1000,
      signal,
      write: record.write,
    }).catch(async (cause: unknown) => {
      await record.end();
      throw cause;
    });
    await record.end(ended.exitCode);
    return ended;
  };

  const services = (signal: AbortSignal): Promise<ServiceState[]> =>
    statesOf(
      docker,
      `com.docker.compose.project=${project}`,
      (found) => found['com.docker.compose.service'] ?? '',
      signal,
    );

  const prepare = async (release: Release, signal: AbortSignal): Promise<ComposePlan> => {
    const model = await checkedModel(site, release, project, deploy.files, deploy.profiles, signal);
    if (model.services?.[target] === undefined) {
      throw new Failure(
        'compose-invalid',
        `There is no service \`${target}\`, only ${Object.keys(model.services ?? {}).join(', ')}.`,
        {
          remedy: 'Name one of them as `target.service` in knowngood.yml.',
        },
      );
    }
    const images = await ownImages(site, model, release);
    await pullAll(site, model, images, signal);
    const mounts = await mountsOf(
      site,
      scope,
      release,
      model,
      images,
      ['volumes', 'secrets', 'configs'],
      signal,
    );
    const plan = composePlan({
      model,
      project,
      target,
      ports,
      publish: site.where.kind === 'host' ? { bind: site.where.bind, mode: 'ingress' } : undefined,
      images,
      runLabels: name.labels(),
      mounts,
      allow: site.plan.allow,
      pids: SUBJECT_PIDS,
    });
    noteNames(journal.note, plan.model);
    writeFileSync(rendered, JSON.stringify(plan.model));
    current = {
      plan,
      own: ownServices(model, images),
      fingerprint: fingerprintOf(model, release.folder, project, images),
    };
    return plan;
  };

  const start = async (plan: ComposePlan, phase: string, signal: AbortSignal): Promise<void> => {
    const built = Object.values(plan.model.services ?? {}).some((service) => service.build !== undefined);
    const flags = [built ? '--build' : '--no-build', '--pull', 'never', '--remove-orphans'];
    if (plan.send.length > 0) {
      await expectDone(site, await compose(['create', ...flags], phase, signal));
      await sendAll(site, await services(signal), plan.send, signal);
      flags.push('--no-recreate');
    }
    for (;;) {
      const ended = await compose(['up', '--detach', ...flags], phase, signal);
      if (ended.exitCode === 0) return;
      const busy = isBusy(ended.tail);
      if (busy === undefined) throw composeUpFailure(site.logs.redact(ended.tail), ended.exitCode);
      site.say(`Waiting for another run: ${busy}.`);
      await pause(BUSY_MS, signal);
    }
  };

  return {
    project,
    inPlace: false,
    async up(release, signal) {
      const plan = await prepare(release, signal);
      const phase = `${scope}-${release.role}`;
      await whileNothingCrashes(site, services, signal, (limited) => start(plan, phase, limited));
      const network = networksOf(plan.model, target)[0];
      if (network !== undefined) await joinNetwork(site, network);
    },
    async halt(signal) {
      const grace = Math.ceil(site.plan.graceMs / 1000);
      // Compose stops in the reverse order of depends_on; what it leaves is stopped one by one.
      await compose(['stop', '--timeout', String(grace)], `${scope}-stop`, signal);
      try {
        await Promise.all(
          (await services(signal)).map(({ id }) => stopAndRemove(docker, id, site.plan.graceMs)),
        );
        for (const network of Object.values(current?.plan.model.networks ?? {})) {
          if (network?.name === undefined) continue;
          await leaveNetwork(site, network.name);
          await ignoring([404], docker.getNetwork(network.name).remove({}));
        }
      } catch (cause) {
        throw engineFailure(cause, 'stopping the base', signal);
      }
    },
    services,
    async wanted() {
      const wanted = new Map<string, string>();
      for (const [service, { image }] of Object.entries(current?.plan.model.services ?? {})) {
        if (image !== undefined) wanted.set(service, (await docker.getImage(image).inspect()).Id);
      }
      return wanted;
    },
    own: () => current?.own ?? new Set(),
    fingerprint: () => current?.fingerprint ?? '',
    networks: () => (current === undefined ? [] : networksOf(current.plan.model, target)),
    update: async () => ({ kind: 'settled' }),
    async down(signal) {
      await removeContainers(docker, await services(signal));
      for (const network of Object.values(current?.plan.model.networks ?? {})) {
        if (network?.name !== undefined) await leaveNetwork(site, network.name);
      }
    },
  };
}

async function expectDone(site: Site, ended: { exitCode: number; tail: string }): Promise<void> {
  if (ended.exitCode !== 0) throw composeUpFailure(site.logs.redact(ended.tail), ended.exitCode);
}

async function sendAll(
  site: Site,
  states: readonly ServiceState[],
  files: readonly SentFile[],
  signal: AbortSignal,
): Promise<void> {
  for (const { service, path, target } of files) {
    for (const state of states.filter((found) => found.service === service)) {
      await sendFiles(site.docker, state.id, path, '/', signal, target.replace(/^\/+/, ''));
    }
  }
}

/** Names of everything that compose is about to make. */
function noteNames(
  note: (kind: 'container' | 'network' | 'volume', name: string) => void,
  model: ComposeModel,
): void {
  for (const service of Object.keys(model.services ?? {})) note('container', `${model.name}-${service}-1`);
  for (const network of Object.values(model.networks ?? {}))
    if (network?.name !== undefined) note('network', network.name);
  for (const volume of Object.values(model.volumes ?? {}))
    if (volume?.name !== undefined) note('volume', volume.name);
}
