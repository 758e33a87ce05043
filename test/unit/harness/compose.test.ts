import { describe, expect, it } from 'vitest';
import { bindSource, isInside } from '../../../src/harness/binds.ts';
import { isEngineSocket, unsafeIn } from '../../../src/harness/compose-check.ts';
import { referencesIn } from '../../../src/harness/compose-files.ts';
import type { ComposeModel, ComposeService } from '../../../src/harness/compose-model.ts';
import { placeOf } from '../../../src/harness/compose-place.ts';
import { composePlan, fileTarget, mountKey } from '../../../src/harness/compose-plan.ts';
import { composeUpFailure, isBusy } from '../../../src/harness/deploy/compose-failure.ts';
import { stackModel } from '../../../src/harness/stack-model.ts';

const inTree = (path: string): boolean => path.startsWith('/tree/');
const faults = (model: ComposeModel, allow: readonly string[] = [], swarm = false): string[] =>
  unsafeIn(model, { allow, inTree, swarm }).map(
    ({ path, allow: name }) => `${path.join('.')} ${name ?? '-'}`,
  );
const app = (service: ComposeService, more: object = {}): ComposeModel => ({
  services: { app: service },
  ...more,
});

describe('a resolved compose model', () => {
  it.each<[string, ComposeModel, string[]]>([
    ['nothing special', app({ image: 'a', environment: { A: '1' }, restart: 'always', 'x-note': 1 }), []],
    // Keys of compose versions that the sandbox may not have.
    ['a provider', app({ provider: { type: 'awesomecloud' } }), ['services.app.provider provider']],
    ['models of a service', app({ models: ['llm'] }), ['services.app.models provider']],
    ['models', app({}, { models: { llm: {} } }), ['models provider']],
    [
      'the socket by its own key',
      app({ use_api_socket: true }),
      ['services.app.use_api_socket engine-socket'],
    ],
    ['gpus', app({ gpus: 'all' }), ['services.app.gpus devices']],
    ['a key of the future', app({ warp_drive: true }), ['services.app.warp_drive -']],
    ['a key of the future, empty', app({ warp_drive: [] }), []],
    ['a top-level key of the future', app({}, { engines: { a: 1 } }), ['engines -']],
    [
      'reserved devices',
      app({ deploy: { resources: { reservations: { devices: [{ capabilities: ['gpu'] }] } } } }),
      ['services.app.deploy.resources.reservations.devices devices'],
    ],
    [
      'a privileged hook',
      app({ post_start: [{ command: 'a' }, { command: 'b', privileged: true }] }),
      ['services.app.post_start.1.privileged privileged'],
    ],
    [
      'a mount of a kind that is not known',
      app({ volumes: [{ type: 'npipe', source: '//./pipe/docker_engine', target: '/x' }] }),
      ['services.app.volumes.0 outside-binds'],
    ],
    ['no-new-privileges', app({ security_opt: ['no-new-privileges:true'] }), []],
    ['the network of another service', app({ network_mode: 'service:db' }), []],
    [
      'an OOM killer that is off',
      app({ oom_kill_disable: true }),
      ['services.app.oom_kill_disable security-options'],
    ],
    ['a volume plugin', app({}, { volumes: { v: { driver: 'sshfs' } } }), ['volumes.v.driver driver-opts']],
    ['an ordinary volume', app({}, { volumes: { v: { driver: 'local' }, w: null } }), []],
    [
      'every fault at once',
      app({ privileged: true, pid: 'host', cap_add: ['ALL'] }),
      [
        'services.app.privileged privileged',
        'services.app.pid namespaces',
        'services.app.cap_add capabilities',
      ],
    ],
  ])('%s', (_, model, expected) => {
    expect(faults(model)).toEqual(expected);
  });

  it('an exception lets its own kind pass, and no other', () => {
    const model = app({ privileged: true, pid: 'host' });
    expect(faults(model, ['privileged'])).toEqual(['services.app.pid namespaces']);
    // Without a name there is no exception.
    expect(faults(app({ warp_drive: true }), ['privileged', 'provider'])).toHaveLength(1);
  });

  it('what a swarm has made for the run may be external there, a volume never', () => {
    const things = { networks: { n: { external: true } }, secrets: { s: { external: true } } };
    expect(faults(app({}, things), [], true)).toEqual([]);
    expect(faults(app({}, things))).toEqual(['networks.n.external external', 'secrets.s.external external']);
    expect(faults(app({}, { volumes: { v: { external: true } } }), [], true)).toHaveLength(1);
  });

  it.each(['/run/podman/podman.sock', '/var/run/docker.sock', '/run/containerd/containerd.sock'])(
    '%s is an engine socket',
    (path) => expect(isEngineSocket(path)).toBe(true),
  );
});

describe('the place of a key', () => {
  const text = `x-base: &base
  privileged: true
services:
  app:
    <<: *base
    image: a
  db: { image: b, pid: host }
`;
  it.each([
    [['services', 'db', 'pid'], 7],
    // What came by an anchor is shown where it is used.
    [['services', 'app', 'privileged'], 4],
    [['volumes', 'v'], undefined],
  ])('%j', (path, line) => {
    expect(placeOf([{ name: 'compose.yml', text }], path)?.line).toBe(line);
  });

  it('is looked for in the last file first', () => {
    const files = ['a', 'b'].map((name) => ({ name, text: 'services: { app: { pid: host } }' }));
    expect(placeOf(files, ['services', 'app', 'pid'])?.file).toBe('b');
  });
});

describe('files that compose would read by itself', () => {
  it.each([
    [
      'include: [a.yml, { path: [b.yml, c.yml], env_file: d.env, project_directory: ../e }]',
      ['a.yml', 'b.yml', 'c.yml', 'd.env', '../e'],
    ],
    [
      'services: { app: { env_file: [{ path: ../a.env, required: false }], label_file: b } }',
      ['../a.env', 'b'],
    ],
    ['services: { app: { extends: { file: a.yml, service: x } }, b: { extends: app } }', ['a.yml']],
    ['x: &x { env_file: /etc/passwd }\nservices: { app: { <<: *x } }', ['/etc/passwd']],
  ])('%s', (text, files) => {
    expect([...new Set(referencesIn(text).map(({ file }) => file))]).toEqual(files);
  });

  it('bounds what it walks', () => {
    const line = Array.from(
      { length: 10 },
      (_, n) => `l${n}: &l${n} [${`*l${n - 1},`.repeat(n === 0 ? 0 : 9)}1]`,
    );
    expect(referencesIn(line.join('\n'))).toEqual([]);
    expect(() => referencesIn(`a: [${'[],'.repeat(20_001)}]`)).toThrow(/too many parts/);
  });
});

describe('the application that is deployed', () => {
  const input = {
    project: 'kg-run-install',
    target: 'app',
    ports: [8000],
    publish: { bind: '127.0.0.1', mode: 'ingress' },
    images: { app: 'kg-run-candidate:test' },
    runLabels: { 'dev.knowngood.test.run': 'run' },
    mounts: new Map([[mountKey('app', 'volumes', 0), { kind: 'volume', volume: 'kg-run-bind' } as const]]),
    allow: [],
    pids: 4096,
  } as const;
  const model: ComposeModel = {
    services: {
      app: {
        image: 'acme/app:1',
        container_name: 'fixed',
        ports: ['80:80'],
        labels: { own: '1', 'dev.knowngood.test.run': 'forged' },
        volumes: [{ type: 'bind', source: '/tree/a', target: '/a', read_only: true }],
      },
      db: { image: 'db', ports: ['5432:5432'], build: '.' },
    },
    networks: { default: { name: 'fixed', external: true } },
    volumes: { data: { name: 'fixed' } },
  };
  const composePlanOf = (more: object) => composePlan({ ...input, model, ...more }).model;

  it('has no name, port or bind of the machine', () => {
    const { services, networks, volumes } = composePlanOf({});
    expect(services?.app).toMatchObject({
      image: 'kg-run-candidate:test',
      ports: [{ target: 8000, host_ip: '127.0.0.1', protocol: 'tcp', mode: 'ingress' }],
      volumes: [{ type: 'volume', source: 'kg-run-bind', target: '/a', read_only: true }],
      labels: { own: '1', 'dev.knowngood.test.run': 'run' },
      pids_limit: 4096,
    });
    expect(services?.app).not.toHaveProperty('container_name');
    expect(services?.db).not.toHaveProperty('ports');
    expect(networks?.default).toEqual({ name: 'kg-run-install_default', labels: input.runLabels });
    expect(volumes?.data).toMatchObject({ name: 'kg-run-install_data' });
    expect(JSON.stringify([services, networks])).not.toMatch(/"fixed"|\/tree/);
  });

  it('publishes nothing where nobody needs it', () => {
    expect(composePlanOf({ publish: undefined }).services?.app).not.toHaveProperty('ports');
  });

  it.each([
    ['secrets', { source: 's' }, '/run/secrets/s'],
    ['secrets', { source: 's', target: 'other' }, '/run/secrets/other'],
    ['configs', { source: 'c' }, '/c'],
    ['configs', { source: 'c', target: '/etc/c' }, '/etc/c'],
  ] as const)('a file of %s %j is mounted at %s', (kind, use, target) => {
    expect(fileTarget(kind, use)).toBe(target);
  });

  it('is said in the words of a stack', () => {
    const stack = stackModel({
      services: {
        app: {
          image: 'a',
          depends_on: ['db'],
          restart: 'always',
          pids_limit: 7,
          networks: { n: { aliases: ['x'], priority: 1 } },
          extra_hosts: { host: ['127.0.0.1'] },
          deploy: { labels: { l: '1' }, resources: { limits: { cpus: 0.5 } } },
        },
      },
      networks: { n: { name: 'kg-n', external: true, labels: { a: 'b' } } },
    });
    expect(stack).toMatchObject({
      version: '3.9',
      services: {
        app: {
          image: 'a',
          networks: { n: { aliases: ['x'] } },
          extra_hosts: ['host:127.0.0.1'],
          deploy: { labels: { l: '1' }, resources: { limits: { cpus: '0.5', pids: 7 } } },
        },
      },
      networks: { n: { name: 'kg-n', external: true } },
    });
    expect(JSON.stringify(stack)).not.toMatch(/depends_on|restart|priority/);
  });
});

describe('why compose did not start it', () => {
  it.each([
    ['write /x: no space left on device', 'disk-full'],
    ['Cannot connect to the Docker daemon at unix:///x', 'engine-unreachable'],
    ['Error response from daemon: No such image: a:1', 'image-missing'],
    ["docker: 'compose' is not a docker command.", 'compose-missing'],
    ['dependency failed to start: container db is unhealthy', 'crashed'],
    ['', 'crashed'],
  ])('%s', (said, code) => {
    expect(composeUpFailure(said, 1).code).toBe(code);
  });

  it('tells the line that speaks of the fault, not the last one', () => {
    expect(composeUpFailure('Container a  Error\nContainer b  Stopped\n', 1).message).toContain(
      'Container a  Error',
    );
  });

  it.each([
    ['Pool overlaps with other one on this address space', true],
    ['Conflict. The container name "/fixed" is already in use by container "x"', true],
    ['Bind for 0.0.0.0:80 failed: port is already allocated', true],
    ['no such image', false],
  ])('a thing that another run holds: %s', (said, busy) => {
    expect(isBusy(said) !== undefined).toBe(busy);
  });
});

describe('a path of ours, for the engine', () => {
  const mounts = [
    { source: '/var/lib/drone/1', destination: '/drone' },
    { source: '/cache', destination: '/drone/src/cache' },
  ];
  it.each([
    ['/drone/src/a', { kind: 'path', path: '/var/lib/drone/1/src/a' }],
    ['/drone/src/cache/b', { kind: 'path', path: '/cache/b' }],
    ['/tmp/x', { kind: 'copy' }],
    ['/drone-other/x', { kind: 'copy' }],
  ])('%s in a container', (path, expected) => {
    expect(bindSource({ kind: 'container', id: 'x', mounts }, path)).toEqual(expected);
  });

  it('is the same on this machine, and has to be sent to another', () => {
    const host = { kind: 'host', address: '127.0.0.1', bind: '' } as const;
    expect(bindSource({ ...host, sameFiles: true }, '/a')).toEqual({ kind: 'path', path: '/a' });
    expect(bindSource({ ...host, sameFiles: false }, '/a')).toEqual({ kind: 'copy' });
    expect([isInside('/a', '/a'), isInside('/a', '/a/..b'), isInside('/a', '/ab')]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
