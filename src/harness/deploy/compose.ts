import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { engineFailure } from '../../engine/dockerode-failure.ts';
import { parseReference } from '../../oci/reference.ts';
import { Failure } from '../../outcome.ts';
import { type Mounted, mountBind } from '../binds.ts';
import { runChild } from '../child.ts';
import { checkedModel, composeEnv, composeFlags } from '../compose-config.ts';
import type { ComposeModel } from '../compose-model.ts';
import { type ComposePlan, composePlan, mountKey, type SentFile } from '../compose-plan.ts';
import { ignoring, type ServiceState, statesOf, stopAndRemove } from '../containers.ts';
import { crashIn } from '../crash.ts';
import { pause } from '../deadline.ts';
import { joinNetwork, leaveNetwork } from '../join.ts';
import type { DeployPlan, Release } from '../plan.ts';
import { READY_MS } from '../ready.ts';
import { sendFiles } from '../send-files.ts';
import type { Site } from '../site.ts';
import { composeUpFailure, isBusy } from './compose-failure.ts';
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
    const mounts = await mountsOf(site, scope, release, model, images, signal);
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
      for (const { id, container, service } of await services(signal)) {
        site.logs.follow(docker, { id, name: container, service }, phase);
      }
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
    rolledBack: async () => undefined,
    async down() {
      for (const network of Object.values(current?.plan.model.networks ?? {})) {
        if (network?.name !== undefined) await leaveNetwork(site, network.name);
      }
    },
  };
}

/**
 * `up` waits for what depends_on names, possibly for ever. A container that ends or restarts meanwhile ends it at
 * once, and the time for readiness counts from its begin.
 */
async function whileNothingCrashes(
  site: Site,
  services: (signal: AbortSignal) => Promise<ServiceState[]>,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const limit = site.plan.ready?.timeoutMs ?? READY_MS;
  const timer = setTimeout(
    () => stop.abort(new Failure('not-ready', `The application did not come up within ${limit / 1000} s.`)),
    limit,
  );
  const over = new AbortController();
  const watch = (async () => {
    const seen = new Map<string, string>();
    for (;;) {
      await pause(500, over.signal);
      const crash = crashIn(await services(over.signal), site.plan.target.service, seen);
      if (crash !== undefined) stop.abort(new Failure('crashed', crash.why));
    }
  })().catch(() => undefined);
  try {
    await work(AbortSignal.any([signal, stop.signal]));
  } catch (cause) {
    throw !signal.aborted && stop.signal.aborted ? stop.signal.reason : cause;
  } finally {
    clearTimeout(timer);
    over.abort();
    await watch;
  }
}

async function expectDone(site: Site, ended: { exitCode: number; tail: string }): Promise<void> {
  if (ended.exitCode !== 0) throw composeUpFailure(site.logs.redact(ended.tail), ended.exitCode);
}

/** Services whose image is of the recipe's own repository run the release's image, whatever tag the file names. */
export async function ownImages(
  site: Site,
  model: ComposeModel,
  release: Release,
): Promise<Record<string, string>> {
  const { image } = release;
  if (image === undefined) return {};
  const services = Object.entries(model.services ?? {}).filter(([, service]) =>
    isOf(service.image, image.repository),
  );
  if (services.length === 0) return {};
  const reference = await nameOf(site, release, image.reference);
  return Object.fromEntries(services.map(([service]) => [service, reference]));
}

/** Compose takes names only: an image that was built here and not pushed gets one for the run. */
async function nameOf(site: Site, release: Release, reference: string): Promise<string> {
  if (!/^(?:sha256:)?[0-9a-f]{64}$/.test(reference)) return reference;
  const repo = site.name.name(release.role);
  site.journal.note('image', `${repo}:test`);
  await site.docker.getImage(reference).tag({ repo, tag: 'test' });
  return `${repo}:test`;
}

function isOf(image: string | undefined, repository: string): boolean {
  if (image === undefined) return false;
  try {
    const parsed = parseReference(image);
    return `${parsed.registry}/${parsed.repository}` === repository;
  } catch {
    return false;
  }
}

/** Every image before anything starts, so that a slow registry is not taken for a slow service. */
export async function pullAll(
  site: Site,
  model: ComposeModel,
  images: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const all = new Set(
    Object.entries(model.services ?? {}).flatMap(([service, { image, build }]) => {
      const reference = images[service] ?? (build === undefined ? image : undefined);
      return reference === undefined ? [] : [reference];
    }),
  );
  for (const reference of all) if (!reference.startsWith('kg-')) await site.pull(reference, signal);
}

/** Stand-ins for every bind, and for every file of a secret or config. */
export async function mountsOf(
  site: Site,
  scope: string,
  release: Release,
  model: ComposeModel,
  images: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Map<string, Mounted>> {
  const mounts = new Map<string, Mounted>();
  for (const [service, found] of Object.entries(model.services ?? {})) {
    const image = images[service] ?? found.image;
    for (const [index, mount] of (found.volumes ?? []).entries()) {
      if (mount.type !== 'bind' || mount.source === undefined || image === undefined) continue;
      const bind = { source: mount.source, readOnly: mount.read_only === true };
      mounts.set(
        mountKey(service, 'volumes', index),
        await mountBind(site, scope, release, bind, image, signal),
      );
    }
    for (const kind of ['secrets', 'configs'] as const) {
      for (const [index, use] of (found[kind] ?? []).entries()) {
        const file = model[kind]?.[use.source]?.file;
        if (file === undefined || image === undefined) continue;
        const bind = { source: file, readOnly: true };
        mounts.set(
          mountKey(service, kind, index),
          await mountBind(site, scope, release, bind, image, signal),
        );
      }
    }
  }
  return mounts;
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

/** Services with the recipe's own image, and those that state its version in a label. */
export function ownServices(model: ComposeModel, images: Readonly<Record<string, string>>): Set<string> {
  const labelled = Object.entries(model.services ?? {}).filter(([, { labels, deploy }]) =>
    Object.keys({ ...labels, ...deploy?.labels }).some((key) => /^coop-cloud\.[^.]+\.version$/.test(key)),
  );
  return new Set([...Object.keys(images), ...labelled.map(([service]) => service)]);
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

/** Names, as the engine has them, of the networks that the target is on. */
export function networksOf(model: ComposeModel, target: string): string[] {
  const service = model.services?.[target];
  if (service?.network_mode !== undefined) return [];
  return Object.keys(service?.networks ?? {}).flatMap((key) => {
    const name = model.networks?.[key]?.name;
    return name === undefined ? [] : [name];
  });
}

/** What an application is besides its own image: the resolved model, and the files that it mounts. */
export function fingerprintOf(
  model: ComposeModel,
  folder: string,
  project: string,
  images: Readonly<Record<string, string>>,
): string {
  const hash = createHash('sha256');
  const real = realpathSync(folder);
  const plain = JSON.stringify(model, (key, value: unknown) =>
    key !== '' && Object.hasOwn(images, key) && typeof value === 'object' ? { ...value, image: '' } : value,
  );
  hash.update(plain.replaceAll(real, '').replaceAll(folder, '').replaceAll(project, ''));
  const sources = Object.values(model.services ?? {}).flatMap(({ volumes }) =>
    (volumes ?? []).flatMap(({ type, source }) => (type === 'bind' && source !== undefined ? [source] : [])),
  );
  const files = (['secrets', 'configs'] as const).flatMap((kind) =>
    Object.values(model[kind] ?? {}).flatMap((found) => found?.file ?? []),
  );
  for (const path of [...new Set([...sources, ...files])].sort()) hashFiles(hash, path);
  return hash.digest('hex');
}

function hashFiles(hash: ReturnType<typeof createHash>, path: string): void {
  const kind = lstatSync(path, { throwIfNoEntry: false });
  if (kind?.isDirectory()) {
    for (const name of readdirSync(path).sort()) {
      hash.update(`${name}\0`);
      hashFiles(hash, join(path, name));
    }
  } else if (kind?.isFile()) hash.update(readFileSync(path));
}
