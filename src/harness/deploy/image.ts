import { engineFailure, engineWords } from '../../engine/dockerode-failure.ts';
import { Failure } from '../../outcome.ts';
import { type Mounted, makeVolume, mountBind } from '../binds.ts';
import { makeNetwork, ownService, removeContainers, statesOf, stopAndRemove } from '../containers.ts';
import { joinNetwork, leaveNetwork } from '../join.ts';
import { ENGINE_LOG } from '../logs.ts';
import { labels } from '../naming.ts';
import type { DeployPlan, Release } from '../plan.ts';
import { isPortTaken, PORT_TRIES } from '../ports.ts';
import { sendFiles } from '../send-files.ts';
import type { Site } from '../site.ts';
import type { Deployment } from './deployment.ts';
import { callFailure, startFailure } from './start-failure.ts';

type ImagePlan = Extract<DeployPlan, { kind: 'image' }>;

/** More processes than a service needs and a fork bomb would like. */
export const SUBJECT_PIDS = 4096;

/** One image as one container on a network of the run. */
export function imageDeployment(
  site: Site,
  plan: ImagePlan,
  ports: readonly number[],
  scope: string,
): Deployment {
  const { docker, name, journal } = site;
  const project = name.name(scope);
  const service = site.plan.target.service;
  let wantedId: string | undefined;

  const create = async (
    release: Release,
    reference: string,
    hostPorts: ReadonlyMap<number, number>,
    signal: AbortSignal,
  ) => {
    const mounts: object[] = [];
    const sent: { path: string; target: string }[] = [];
    for (const mount of plan.volumes) {
      const made: Mounted =
        mount.kind === 'volume'
          ? { kind: 'volume', volume: name.name(`${scope}-${mount.source}`) }
          : await mountBind(site, scope, release, mount, reference, signal);
      if (made.kind === 'send') sent.push({ path: made.path, target: mount.target });
      else if (made.kind === 'file')
        mounts.push({ Type: 'bind', Source: made.path, Target: mount.target, ReadOnly: mount.readOnly });
      else {
        if (mount.kind === 'volume') await makeVolume(site, made.volume);
        mounts.push({
          Type: 'volume',
          Source: made.volume,
          Target: mount.target,
          ReadOnly: mount.readOnly,
          VolumeOptions: { Labels: name.labels() },
        });
      }
    }
    journal.note('container', `${project}-${service}`);
    const container = await docker.createContainer({
      name: `${project}-${service}`,
      Image: reference,
      ...(plan.command === undefined ? {} : { Cmd: [...plan.command] }),
      Env: Object.entries(site.plan.env).map(([key, value]) => `${key}=${value}`),
      Labels: name.labels({ [labels.service]: service }),
      ExposedPorts: Object.fromEntries(ports.map((port) => [`${port}/tcp`, {}])),
      HostConfig: {
        Mounts: mounts as never,
        NetworkMode: project,
        RestartPolicy: { Name: 'no' },
        PidsLimit: SUBJECT_PIDS,
        LogConfig: ENGINE_LOG,
        PortBindings: site.where.kind === 'container' ? {} : bindings(ports, hostPorts, site.where.bind),
      },
      NetworkingConfig: { EndpointsConfig: { [project]: { Aliases: [service] } } },
      abortSignal: signal,
    });
    for (const { path, target } of sent) await sendFile(site, container.id, path, target, signal);
    return container;
  };

  /** Starts; a host port that is taken is worth another try on one that the engine picks, nothing else is. */
  const start = async (release: Release, reference: string, signal: AbortSignal) => {
    const asked = new Map(
      plan.ports.flatMap(({ container, host }) => (host === undefined ? [] : [[container, host] as const])),
    );
    for (let tries = 1; ; tries++) {
      const container = await create(release, reference, asked, signal);
      try {
        await container.start({ abortSignal: signal } as never);
        return container;
      } catch (cause) {
        const words = engineWords(cause);
        if (signal.aborted || !isPortTaken(words) || tries === PORT_TRIES)
          throw startFailure(cause, service, signal);
        await container.remove({ force: true, v: true });
        site.say(`Host port ${[...asked.values()].join(', ')} is taken; the engine picks another.`);
        asked.clear();
      }
    }
  };

  return {
    project,
    inPlace: false,
    async up(release, signal) {
      const reference = release.image?.reference;
      if (reference === undefined)
        throw new Failure('image-missing', `There is no image of the ${release.role} to run.`);
      await site.pull(reference, signal);
      try {
        const image = await docker.getImage(reference).inspect();
        wantedId = image.Id;
        await makeNetwork(docker, name, (network) => journal.note('network', network), project);
        await joinNetwork(site, project);
        await start(release, reference, signal);
      } catch (cause) {
        throw callFailure(cause, `starting the ${release.role}`, signal);
      }
    },
    async halt(signal) {
      const running = await this.services(signal);
      try {
        await Promise.all(running.map(({ id }) => stopAndRemove(docker, id, site.plan.graceMs)));
      } catch (cause) {
        throw engineFailure(cause, 'stopping the base', signal);
      }
    },
    services: async (signal) => {
      const all = await statesOf(docker, `${labels.run}=${name.id}`, ownService, signal);
      return all.filter(
        ({ container, service: found }) => found === service && container.startsWith(`${project}-`),
      );
    },
    wanted: async () => new Map(wantedId === undefined ? [] : [[service, wantedId]]),
    own: () => new Set([service]),
    fingerprint: () => '',
    networks: () => [project],
    update: async () => ({ kind: 'settled' }),
    async down(signal) {
      await removeContainers(docker, await this.services(signal));
      await leaveNetwork(site, project);
    },
  };
}

function bindings(
  ports: readonly number[],
  asked: ReadonlyMap<number, number>,
  bind: string,
): Record<string, object[]> {
  return Object.fromEntries(
    ports.map((port) => [`${port}/tcp`, [{ HostIp: bind, HostPort: String(asked.get(port) ?? '') }]]),
  );
}

/** The archive's entry is named after our copy; the recipe's target may be called otherwise. */
async function sendFile(
  site: Site,
  container: string,
  path: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  await sendFiles(site.docker, container, path, '/', signal, target.replace(/^\/+/, ''));
}
