import { basename } from 'node:path';
import type { Allowance } from '../settings/test-section.ts';
import { guardedService, harmlessService, insideNetworks, isEmpty } from './compose-keys.ts';
import type { ComposeModel, ComposeMount, ComposeService, ComposeThing } from './compose-model.ts';

/** One thing that a compose file asks for and a test may not have. */
export interface Unsafe {
  /** Where it stands: `services`, `db`, `privileged`. */
  readonly path: readonly string[];
  /** The exception that would let it pass; absent: none does. */
  readonly allow?: Allowance;
  readonly why: string;
}

export interface CheckOptions {
  /** Exceptions that the release branch names; empty for untrusted authors. */
  readonly allow: readonly string[];
  /** Real path of the application's tree: binds have to stay inside. */
  readonly inTree: (path: string) => boolean;
  /** Networks and secrets of a swarm that are `external` are made for the run, so they are harmless there. */
  readonly swarm: boolean;
}

/**
 * Every key of a compose model that a test may not have (security.md 4 of the design), on the output of `docker
 * compose config`, where anchors, merges, `extends`, `include` and variables are resolved. Pure.
 */
export function unsafeIn(model: ComposeModel, options: CheckOptions): Unsafe[] {
  const found: Unsafe[] = [];
  const report = (path: readonly string[], allow: Allowance | undefined, why: string): void => {
    if (allow !== undefined && options.allow.includes(allow)) return;
    found.push({ path, why, ...(allow === undefined ? {} : { allow }) });
  };
  for (const [name, service] of entries<ComposeService>(model.services)) {
    checkService(['services', name], service, options, report);
  }
  for (const kind of ['networks', 'volumes', 'secrets', 'configs'] as const) {
    for (const [name, thing] of entries<ComposeThing>(model[kind]))
      checkThing([kind, name], kind, thing, options, report);
  }
  for (const key of Object.keys(model)) {
    if (!KNOWN_TOP.has(key) && !key.startsWith('x-') && !isEmpty(model[key])) {
      const guard = key === 'models' ? 'provider' : undefined;
      report([key], guard, guard === undefined ? 'is not known to be safe' : 'is not for a test');
    }
  }
  return found;
}

const KNOWN_TOP = new Set(['name', 'version', 'services', 'networks', 'volumes', 'secrets', 'configs']);

type Report = (path: readonly string[], allow: Allowance | undefined, why: string) => void;

function checkService(
  path: readonly string[],
  service: ComposeService,
  options: CheckOptions,
  report: Report,
): void {
  for (const [key, value] of Object.entries(service)) {
    const guard = guardedService[key];
    if (guard !== undefined) {
      const why = guard.judge(value);
      if (why !== undefined) report([...path, key], guard.allow, why);
    } else if (!harmlessService.has(key) && !key.startsWith('x-') && !isEmpty(value)) {
      report([...path, key], undefined, 'is not known to be safe');
    }
  }
  for (const [index, mount] of (service.volumes ?? []).entries()) {
    checkMount([...path, 'volumes', String(index)], mount, options, report);
  }
  for (const hook of ['post_start', 'pre_stop'] as const) {
    for (const [index, item] of list(service[hook]).entries()) {
      if ((item as { privileged?: unknown })?.privileged === true) {
        report(
          [...path, hook, String(index), 'privileged'],
          'privileged',
          'gives the command the whole machine',
        );
      }
    }
  }
  const deploy = service.deploy as
    | { resources?: { reservations?: { devices?: unknown; generic_resources?: unknown } } }
    | undefined;
  if (!isEmpty(deploy?.resources?.reservations?.devices)) {
    report([...path, 'deploy', 'resources', 'reservations', 'devices'], 'devices', 'is not for a test');
  }
}

function checkMount(
  path: readonly string[],
  mount: ComposeMount,
  { inTree }: CheckOptions,
  report: Report,
): void {
  const { type, source = '' } = mount;
  if (type === 'bind') {
    if (isEngineSocket(source)) report(path, 'engine-socket', `gives the container the engine (${source})`);
    else if (!inTree(source)) report(path, 'outside-binds', `mounts ${source}, outside the recipe's tree`);
  } else if (type !== 'volume' && type !== 'tmpfs' && type !== 'image') {
    report(path, 'outside-binds', `is a mount of kind \`${type}\``);
  }
}

/** The sockets themselves; a folder that holds one lies outside the tree in any case. */
export function isEngineSocket(source: string): boolean {
  return (
    /^(?:docker|podman|containerd|crio|buildkitd|cri-dockerd)\.sock$/.test(basename(source)) ||
    source.startsWith('//./pipe/')
  );
}

function checkThing(
  path: readonly string[],
  kind: 'networks' | 'volumes' | 'secrets' | 'configs',
  thing: ComposeThing,
  { swarm, inTree }: CheckOptions,
  report: Report,
): void {
  const external = thing.external === true || (typeof thing.external === 'object' && thing.external !== null);
  if (external && !(swarm && (kind === 'networks' || kind === 'secrets'))) {
    report([...path, 'external'], 'external', 'belongs to something outside the test');
  }
  if (!isEmpty(thing.driver_opts))
    report([...path, 'driver_opts'], 'driver-opts', 'is for the driver, which runs on the machine');
  const driver = thing.driver ?? '';
  if (kind === 'networks' && !insideNetworks.has(driver)) {
    report([...path, 'driver'], 'namespaces', `is \`${driver}\`, which reaches the machine's own network`);
  }
  if (kind !== 'networks' && driver !== '' && driver !== 'local') {
    report([...path, 'driver'], 'driver-opts', `is the plugin \`${driver}\``);
  }
  if (!isEmpty(thing.template_driver))
    report([...path, 'template_driver'], 'driver-opts', 'is not for a test');
  if ((kind === 'secrets' || kind === 'configs') && thing.file !== undefined && !inTree(thing.file)) {
    report([...path, 'file'], 'outside-binds', "is a file outside the recipe's tree");
  }
}

function entries<T>(record: Readonly<Record<string, T | null | undefined>> | undefined): [string, T][] {
  return Object.entries(record ?? {}).map(([name, value]) => [name, (value ?? {}) as T]);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
