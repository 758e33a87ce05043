import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../outcome.ts';
import { childEnv, runChild } from '../child.ts';
import { type ServiceState, statesOf } from '../containers.ts';
import { joinNetwork, leaveNetwork } from '../join.ts';
import { lockName } from '../lock.ts';
import type { DeployPlan, Release } from '../plan.ts';
import type { Address } from '../reach.ts';
import type { Site } from '../site.ts';
import type { Deployment } from './deployment.ts';

type CommandsDeploy = Extract<DeployPlan, { kind: 'commands' }>;

const ANSWER_LIMIT = 64 * 1024;

/**
 * The recipe's own `up` and `down`, on the host, with an environment built from nothing. What they start is found by
 * the project's name, which they are given as KNOWNGOOD_PROJECT and STACK_NAME; a deployment with a name of its own
 * says so by writing `project=<name>` or `url=<where it answers>` into the file KNOWNGOOD_OUTPUT.
 */
export function commandsDeployment(site: Site, deploy: CommandsDeploy, scope: string): Deployment {
  const { docker } = site;
  const project = site.name.name(scope);
  const service = site.plan.target.service;
  let current: { release: Release; project: string; address?: Address } | undefined;
  let unlock: (() => Promise<void>) | undefined;
  let network: string | undefined;

  const run = async (command: string, release: Release, phase: string, signal: AbortSignal) => {
    const folder = join(site.programs.home, project);
    mkdirSync(folder, { recursive: true });
    const answer = join(folder, 'output');
    const record = site.logs.record(phase, 'commands');
    const ended = await runChild({
      argv: ['sh', '-c', command],
      cwd: site.plan.trustedTree ?? release.folder,
      env: childEnv(site.programs, {
        ...site.plan.env,
        ...site.programs.engineEnv,
        DOCKER_HOST: site.engine.address,
        DOCKER_CONFIG: site.programs.home,
        STACK_NAME: project,
        KNOWNGOOD_RECIPE: site.plan.recipe,
        KNOWNGOOD_PROJECT: project,
        KNOWNGOOD_ROLE: release.role,
        KNOWNGOOD_VERSION: release.version ?? '',
        KNOWNGOOD_COMMIT: release.commit,
        KNOWNGOOD_IMAGE: release.image?.reference ?? '',
        KNOWNGOOD_FOLDER: release.folder,
        KNOWNGOOD_SERVICE: service,
        KNOWNGOOD_OUTPUT: answer,
      }),
      graceMs: site.plan.graceMs,
      signal,
      write: record.write,
    });
    await record.end(ended.exitCode);
    return { ...ended, answer: readAnswer(answer) };
  };

  const services = async (signal: AbortSignal): Promise<ServiceState[]> => {
    const name = current?.project ?? project;
    const [compose, stack] = await Promise.all([
      statesOf(
        docker,
        `com.docker.compose.project=${name}`,
        (found) => found['com.docker.compose.service'] ?? '',
        signal,
      ),
      statesOf(
        docker,
        `com.docker.stack.namespace=${name}`,
        (found) => (found['com.docker.swarm.service.name'] ?? '').slice(name.length + 1),
        signal,
      ),
    ]);
    return [...compose, ...stack];
  };

  return {
    project,
    inPlace: true,
    async up(release, signal) {
      // Names and ports are the recipe's own here, so two runs of it would meet.
      unlock ??= await lockName(site, site.plan.recipe, signal);
      if (release.image !== undefined) await site.pull(release.image.reference, signal);
      current = { release, project };
      const ended = await run(deploy.up, release, `${scope}-${release.role}`, signal);
      const { project: named, url } = ended.answer;
      const address = url === undefined ? undefined : addressIn(url);
      current = { release, project: named ?? project, ...(address === undefined ? {} : { address }) };
      if (ended.exitCode !== 0)
        throw new Failure('commands-failed', `\`up\` ended with exit code ${ended.exitCode}.`);
      const target = (await services(signal)).find((state) => state.service === service);
      network = Object.keys(target?.addresses ?? {})[0];
      if (network !== undefined) await joinNetwork(site, network);
    },
    halt: async () => undefined,
    services,
    async wanted(signal) {
      const image = current?.release.image;
      if (image === undefined) return new Map();
      const { Id } = await docker.getImage(image.reference).inspect();
      const own = (await services(signal)).filter(({ reference }) => reference.startsWith(image.repository));
      return new Map(own.map(({ service: found }) => [found, Id]));
    },
    own: () => new Set([service]),
    // Only the recipe knows what else its `up` reads: another commit is taken for another application.
    fingerprint: () => current?.release.commit ?? '',
    networks: () => (network === undefined ? [] : [network]),
    address: () => current?.address,
    update: async () => ({ kind: 'settled' }),
    async down(signal) {
      if (network !== undefined) await leaveNetwork(site, network);
      network = undefined;
      try {
        if (current === undefined) return;
        const { exitCode } = await run(deploy.down, current.release, `${scope}-down`, signal);
        if (exitCode !== 0)
          site.say(`\`down\` ended with exit code ${exitCode}; what it left is removed by name.`);
      } finally {
        current = undefined;
        await unlock?.();
        unlock = undefined;
      }
    },
  };
}

/** `key=value` lines that `up` wrote for us; anything else in the file is ignored. */
function readAnswer(path: string): { project?: string; url?: string } {
  const found: { project?: string; url?: string } = {};
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0 || size > ANSWER_LIMIT) return found;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, key, value] = /^(project|url)=(\S+)$/.exec(line.trim()) ?? [];
    if (key === 'project' && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(value ?? '')) found.project = value!;
    if (key === 'url' && value !== undefined) found.url = value;
  }
  return found;
}

function addressIn(text: string): Address {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new Failure('commands-failed', `\`up\` wrote a URL that is none: ${JSON.stringify(text)}.`, {
      cause,
    });
  }
  if (url.protocol !== 'http:') throw new Failure('commands-failed', '`up` wrote a URL that is not of http.');
  return { host: url.hostname, port: Number(url.port || 80) };
}
