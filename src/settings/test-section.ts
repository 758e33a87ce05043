import * as v from 'valibot';
import type { Command, ExecText, MountPlan, ReadyPlan } from '../harness/plan.ts';
import { exactlyOneOf, someOf } from './between-keys.ts';
import { DURATION, notADuration, parseDuration } from './read.ts';

/**
 * `test:` of knowngood.yml: how a recipe is installed, when it is ready, what proves that it works. Read from the
 * release branch only. The schema gives the harness's own words, so that nothing maps them a second time.
 */
const text = v.pipe(v.string(), v.trim(), v.nonEmpty('must not be empty'));

const duration = v.pipe(
  text,
  v.regex(DURATION, ({ input }) => notADuration(input)),
  v.transform(parseDuration),
);

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535));

/** A shell line, or the arguments as they are. */
const execText = v.union([text, v.pipe(v.array(v.string()), v.minLength(1))]) as v.GenericSchema<ExecText>;

/** One, or a list of them. */
const listOf = <I, O>(item: v.GenericSchema<I, O>) =>
  v.pipe(
    v.union([item, v.array(item)]),
    v.transform((value): O[] => (Array.isArray(value) ? value : [value]) as O[]),
  );

/** An absolute path of the subject, with its query; no spaces or control characters, which would split the request. */
const urlPath = v.pipe(text, v.regex(/^\/[\x21-\x7e]*$/, 'must be a path that begins with `/`'));

const httpCheck = v.union([
  v.pipe(
    urlPath,
    v.transform((path): { path: string } => ({ path })),
  ),
  v.strictObject({
    path: urlPath,
    port: v.optional(port),
    status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(599))),
    contains: v.optional(v.string()),
    method: v.optional(v.picklist(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])),
    body: v.optional(v.string()),
  }),
]);

const runCommand = v.union([
  v.pipe(
    execText,
    v.transform((command): { command: ExecText; image?: string } => ({ command })),
  ),
  v.strictObject({ command: execText, image: v.optional(text) }),
]);

const commandEntries = {
  http: v.optional(listOf(httpCheck)),
  exec: v.optional(execText),
  run: v.optional(runCommand),
  host: v.optional(text),
  /** Container that `exec` is in, where it is not the target. */
  service: v.optional(text),
  timeout: v.optional(duration),
};

type CommandEntry = v.InferOutput<v.StrictObjectSchema<typeof commandEntries, undefined>>;

const commandEntry = v.pipe(v.strictObject(commandEntries), someOf('http', 'exec', 'run', 'host'));

/** One entry may name several kinds; they run in this order, and the first that fails decides. */
function commandsOf(entry: CommandEntry): Command[] {
  const time = entry.timeout === undefined ? {} : { timeoutMs: entry.timeout };
  const service = entry.service === undefined ? {} : { service: entry.service };
  return [
    ...(entry.http ?? []).map((http) => defined({ kind: 'http' as const, ...http }) as Command),
    ...(entry.exec === undefined
      ? []
      : [{ kind: 'exec' as const, command: entry.exec, ...service, ...time }]),
    ...(entry.run === undefined ? [] : [defined({ kind: 'run' as const, ...entry.run, ...time }) as Command]),
    ...(entry.host === undefined ? [] : [{ kind: 'host' as const, command: entry.host, ...time }]),
  ];
}

const commands = v.pipe(
  listOf(commandEntry),
  v.transform((entries): Command[] => entries.flatMap(commandsOf)),
);

const ready = v.pipe(
  v.strictObject({
    http: v.optional(urlPath),
    tcp: v.optional(v.union([port, v.literal(true)])),
    exec: v.optional(execText),
    healthcheck: v.optional(v.literal(true)),
    port: v.optional(port),
    timeout: v.optional(duration, '2m'),
  }),
  exactlyOneOf('http', 'tcp', 'exec', 'healthcheck'),
  v.transform(({ http, tcp, exec, port, timeout }): ReadyPlan => {
    const at = port === undefined ? {} : { port };
    if (http !== undefined) return { how: { kind: 'http', path: http, ...at }, timeoutMs: timeout };
    if (tcp !== undefined) {
      return { how: { kind: 'tcp', ...(tcp === true ? at : { port: tcp }) }, timeoutMs: timeout };
    }
    if (exec !== undefined) return { how: { kind: 'exec', command: exec }, timeoutMs: timeout };
    return { how: { kind: 'healthcheck' }, timeoutMs: timeout };
  }),
);

/** `8000`, or `"8080:8000"` where the host port matters. */
const portWish = v.union([
  v.pipe(
    port,
    v.transform((container): { container: number; host?: number } => ({ container })),
  ),
  v.pipe(
    text,
    v.regex(/^\d{1,5}(?::\d{1,5})?$/, 'must be a port, or host-port:port'),
    v.transform((written): { container: number; host?: number } => {
      const [first = '', second] = written.split(':');
      return second === undefined
        ? { container: Number(first) }
        : { host: Number(first), container: Number(second) };
    }),
  ),
]);

/** `data:/data` (a volume), `./conf:/etc/app:ro` (a copy of the tree's files). */
const mount = v.pipe(
  text,
  v.regex(
    /^(?:\.{1,2}(?:\/[^:]*)?|[A-Za-z0-9][A-Za-z0-9_.-]*):\/[^:]*(?::(?:ro|rw))?$/,
    'must be `name:/path` or `./path:/path`, with `:ro` if it is read-only',
  ),
  v.transform((written): MountPlan => {
    const [source = '', target = '', mode] = written.split(':');
    return { kind: source.startsWith('.') ? 'bind' : 'volume', source, target, readOnly: mode === 'ro' };
  }),
);

const ownTier = v.pipe(
  v.strictObject({
    name: v.pipe(
      text,
      v.regex(/^[a-z0-9][a-z0-9-]{0,30}$/, 'must be lower-case letters, digits and hyphens'),
    ),
    ...commandEntries,
  }),
  v.transform(({ name, ...entry }) => ({ name, commands: commandsOf(entry) })),
);

const tier = v.union([
  v.pipe(
    v.picklist(['install', 'upgrade']),
    v.transform((name): { name: string; commands?: Command[] } => ({ name })),
  ),
  ownTier,
]);

/** The exceptions of security.md 4 that `allow` may name, and `credentials` for host commands. */
export const allowances = [
  'credentials',
  'privileged',
  'capabilities',
  'devices',
  'namespaces',
  'engine-socket',
  'outside-binds',
  'external',
  'driver-opts',
  'provider',
  'container-name',
  'build',
  'security-options',
] as const;

export type Allowance = (typeof allowances)[number];

const scalar = v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String));

export const testSection = v.strictObject({
  deploy: v.optional(v.picklist(['image', 'compose', 'swarm', 'commands'])),
  'compose-file': v.optional(listOf(text)),
  profiles: v.optional(listOf(text), []),
  'env-file': v.optional(text),
  env: v.optional(v.record(v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/)), scalar), {}),
  ports: v.optional(v.array(portWish), []),
  volumes: v.optional(v.array(mount), []),
  command: v.optional(execText),
  up: v.optional(text),
  down: v.optional(text),
  target: v.optional(v.strictObject({ service: v.optional(text, 'app'), port: v.optional(port) })),
  ready: v.optional(ready),
  'before-upgrade': v.optional(commands, []),
  check: v.optional(commands, []),
  tiers: v.optional(v.array(tier)),
  timeout: v.optional(duration),
  'tier-timeout': v.optional(duration),
  'stop-grace': v.optional(duration, '10s'),
  allow: v.optional(listOf(v.picklist(allowances)), []),
});

/** `test:` as it is read; durations in milliseconds, commands in the harness's words. */
export type TestConfig = v.InferOutput<typeof testSection>;

/** Leaves out what is undefined: an optional part is absent, never present without a value. */
function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}
