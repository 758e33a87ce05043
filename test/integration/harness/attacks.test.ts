import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command, TestPlan } from '../../../src/harness/plan.ts';
import { Failure } from '../../../src/outcome.ts';
import { leftovers, ofImage, openTrial, type Trial, verdicts } from './trial.ts';

let trial: Trial;
let image: string;
const secret = 's3cret-of-the-job';
beforeAll(async () => {
  trial = await openTrial();
  process.env.REGISTRY_PASSWORD = secret;
  image = await trial.image('attacked', '1', [{ path: 'srv/index.html', content: 'hello' }], {
    Cmd: ['httpd', '-f', '-p', '8000', '-h', '/srv'],
  });
});
afterAll(async () => {
  delete process.env.REGISTRY_PASSWORD;
  await trial.close();
});

const ready = { how: { kind: 'http', path: '/' }, timeoutMs: 60_000 } as const;
const compose = { kind: 'compose', files: ['compose.yml'], profiles: [] } as const;

let folders = 0;
function tree(files: Readonly<Record<string, string>>): string {
  const folder = trial.folder(`tree-${++folders}`);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

async function deploy(folder: string, plan: Partial<TestPlan> = {}) {
  const ran = await trial.run({
    plan: { deploy: compose, ready, tiers: [{ name: 'install' }], ...plan },
    candidate: { ...ofImage('candidate', '1.0.0', image), folder },
  });
  expect(await leftovers(trial.docker, ran.id, ran.out)).toEqual([]);
  return ran;
}

describe('a compose file that asks for more than a test may have', () => {
  /** Line 4 is where the service's own keys begin, and where each of these stands. */
  const forbidden: readonly (readonly [key: string, text: string, allow: string])[] = [
    ['privileged', 'privileged: true', 'privileged'],
    ['cap_add', 'cap_add: [SYS_ADMIN]', 'capabilities'],
    ['devices', 'devices: ["/dev/kmsg:/dev/kmsg"]', 'devices'],
    ['device_cgroup_rules', 'device_cgroup_rules: ["a *:* rwm"]', 'devices'],
    ['network_mode', 'network_mode: host', 'namespaces'],
    ['pid', 'pid: host', 'namespaces'],
    ['pid', 'pid: "container:engine"', 'namespaces'],
    ['ipc', 'ipc: host', 'namespaces'],
    ['uts', 'uts: host', 'namespaces'],
    ['cgroup', 'cgroup: host', 'namespaces'],
    ['userns_mode', 'userns_mode: host', 'namespaces'],
    ['cgroup_parent', 'cgroup_parent: /', 'namespaces'],
    ['external_links', 'external_links: [other]', 'namespaces'],
    ['volumes_from', 'volumes_from: ["container:other"]', 'namespaces'],
    ['container_name', 'container_name: fixed', 'container-name'],
    ['build', 'build: .', 'build'],
    ['security_opt', 'security_opt: ["seccomp:unconfined"]', 'security-options'],
    ['runtime', 'runtime: other', 'security-options'],
    ['volumes.0', 'volumes: ["/var/run/docker.sock:/var/run/docker.sock"]', 'engine-socket'],
    ['volumes.0', 'volumes: ["/:/host"]', 'outside-binds'],
    ['volumes.0', 'volumes: ["../..:/above"]', 'outside-binds'],
    ['volumes.0', 'volumes: ["./link:/etc-of-the-host"]', 'outside-binds'],
    ['volumes.0', 'volumes: ["./.git:/history"]', 'outside-binds'],
    ['volumes.0', 'volumes: ["./knowngood-out:/hand-off"]', 'outside-binds'],
  ];
  const file = (text: string): string => `services:\n  app:\n    image: "${image}"\n    ${text}\n`;
  const treeWith = (text: string): string => {
    const folder = tree({ 'compose.yml': text, '.git/config': 'token', 'knowngood-out/dossier.json': '{}' });
    symlinkSync('/etc', join(folder, 'link'));
    return folder;
  };

  it.each(forbidden)('%s is refused with key and line: %s', async (key, text, allow) => {
    const { result } = await deploy(treeWith(file(text)));
    expect(verdicts(result)).toEqual({ install: 'fail unsafe-compose' });
    expect(result.findings).toHaveLength(1);
    expect(result.findings[0]).toMatchObject({
      code: 'unsafe-compose',
      level: 'error',
      at: { file: 'compose.yml', line: 4 },
    });
    expect(result.findings[0]?.message).toContain(`compose.yml:4: \`services.app.${key}\``);
    expect(result.findings[0]?.remedy).toContain(`\`${allow}\``);
  });

  const things: readonly (readonly [path: string, text: string, line: number])[] = [
    ['networks.default.external', 'networks:\n  default:\n    external: true\n    name: other', 6],
    ['networks.n.driver_opts', 'networks:\n  n:\n    driver_opts: { parent: eth0 }', 6],
    ['networks.n.driver', 'networks:\n  n:\n    driver: macvlan', 6],
    ['volumes.vol.external', 'volumes:\n  vol:\n    external: true', 6],
    ['volumes.vol.driver_opts', 'volumes:\n  vol:\n    driver_opts: { type: none, o: bind, device: / }', 6],
    ['secrets.s.file', 'secrets:\n  s:\n    file: /etc/shadow', 6],
    ['configs.c.file', 'configs:\n  c:\n    file: ../../up', 6],
  ];
  it.each(things)('%s is refused with its line', async (path, text, line) => {
    const [kind, name] = path.split('.');
    const use =
      kind === 'networks'
        ? `networks: [${name}]`
        : kind === 'volumes'
          ? `volumes: ["${name}:/data"]`
          : `${kind}: [${name}]`;
    const { result } = await deploy(
      tree({ 'compose.yml': `services:\n  app: { image: "${image}", ${use} }\n\n${text}\n` }),
    );
    expect(verdicts(result)).toEqual({ install: 'fail unsafe-compose' });
    expect(result.findings[0]).toMatchObject({ at: { file: 'compose.yml', line } });
    expect(result.findings[0]?.message).toContain(`\`${path}\``);
  });

  const remote: readonly (readonly [what: string, text: string])[] = [
    ['a remote include', 'include: ["oci://127.0.0.1:1/evil"]\nservices: {}'],
    ['an include from git', 'include: ["https://127.0.0.1:1/evil.git"]\nservices: {}'],
    ['an include above the tree', 'include: ["../../evil.yml"]\nservices: {}'],
    ['extends from above the tree', 'services: { app: { extends: { file: ../../up.yml, service: app } } }'],
    ['an env_file of the host', 'services: { app: { image: a, env_file: /etc/hostname } }'],
    ['an env_file with a variable', `services: { app: { image: a, env_file: "\${HOME}/.env" } }`],
    ['a label_file of the host', 'services: { app: { image: a, label_file: /etc/hostname } }'],
  ];
  it.each(remote)('%s is refused before compose reads it', async (_, text) => {
    const { result } = await deploy(tree({ 'compose.yml': text }));
    expect(verdicts(result).install).toMatch(/^(?:fail unsafe-compose|inconclusive path-outside)$/);
  });

  it('a compose file that is a link to one of the host is not read', async () => {
    const folder = tree({});
    symlinkSync('/etc/passwd', join(folder, 'compose.yml'));
    const { result } = await deploy(folder);
    expect(verdicts(result)).toEqual({ install: 'inconclusive path-outside' });
    expect(JSON.stringify(result)).not.toContain('root:x:0:0');
  });

  it('is let pass where the release branch names the exception, and only that one', async () => {
    const folder = treeWith(file('cap_add: [SYS_PTRACE]'));
    expect(verdicts((await deploy(folder, { allow: ['capabilities'] })).result)).toEqual({ install: 'pass' });
    expect(verdicts((await deploy(folder, { allow: ['privileged'] })).result)).toEqual({
      install: 'fail unsafe-compose',
    });
  });

  it('sees nothing of our environment, whatever its variables are called', async () => {
    const { result, out } = await deploy(
      tree({
        '.env': 'FROM_TREE=read\n',
        'compose.yml': `
services:
  app:
    image: "${image}"
    environment: { A: "\${REGISTRY_PASSWORD:-none}", B: "\${FROM_TREE:-none}", REGISTRY_PASSWORD: }
`,
      }),
      { check: [{ kind: 'exec', command: 'env; test "$A$B" = nonenone && test -z "$REGISTRY_PASSWORD"' }] },
    );
    expect(verdicts(result)).toEqual({ install: 'pass' });
    expect(readFileSync(join(out, 'logs', 'install-candidate-exec-app.stdout.log'), 'utf8')).not.toContain(
      secret,
    );
  });
});

describe('a command that looks around', () => {
  const plan = {
    deploy: { kind: 'image', ports: [{ container: 8000 }], volumes: [] },
    ready,
    tiers: [{ name: 'install' }],
    env: { OWN: 'of the recipe' },
  } as const satisfies Partial<TestPlan>;

  const trustedTree = (): string =>
    tree({
      'scripts/check': 'exit 0\n',
      '.git/config': `extraheader = ${secret}\n`,
      'knowngood-out/app/dossier.json': secret,
    });

  const looks: readonly (readonly [what: string, command: string])[] = [
    ['the environment', `env | grep -e ${secret} -e PASSWORD -e TOKEN -e GITHUB -e HOME=/home`],
    ['the environment of every process', `cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep ${secret}`],
    ['processes of the machine', 'grep -l -e [v]itest -e [d]ockerd /proc/[0-9]*/cmdline'],
    ['the engine socket', 'find / -xdev -name "*.sock" -type s 2>/dev/null | grep .'],
    ['knowngood-out', 'find / -xdev -name "knowngood-out*" 2>/dev/null | grep .'],
    ["the checkout's history", 'find / -xdev -name .git 2>/dev/null | grep .'],
  ];
  const harmless: Command[] = looks.flatMap(([, command]): Command[] => [
    { kind: 'exec', command: `! (${command})` },
    { kind: 'run', command: `! (${command})` },
  ]);

  it('finds nothing of ours', async () => {
    const { result } = await trial.run({
      plan: { ...plan, check: harmless, trustedTree: trustedTree() },
      candidate: ofImage('candidate', '1.0.0', image),
    });
    expect(result.troubles).toEqual([]);
    expect(verdicts(result)).toEqual({ install: 'pass' });
  });

  it('has what it is told, and the trusted tree read-only, without capabilities', async () => {
    const checks = [
      'test "$OWN" = "of the recipe" && test "$KNOWNGOOD_URL" = http://app:8000',
      'sh scripts/check && ! touch /knowngood/scripts/written',
      'grep -x "CapEff:.0000000000000000" /proc/self/status && grep -x "NoNewPrivs:.1" /proc/self/status',
      'wget -qO- http://app:8000/ | grep hello',
    ];
    const { result } = await trial.run({
      plan: {
        ...plan,
        check: checks.map((command) => ({ kind: 'run', command })),
        trustedTree: trustedTree(),
      },
      candidate: ofImage('candidate', '1.0.0', image),
    });
    expect(result.troubles).toEqual([]);
  });

  const onHost = { ...plan, check: [{ kind: 'host', command: 'true' }] } as const;
  it('on the host is refused for an author that nobody knows, whatever is allowed', async () => {
    const run = trial.run({
      plan: { ...onHost, trusted: false, allow: ['credentials'] },
      candidate: ofImage('candidate', '1.0.0', image),
    });
    await expect(run).rejects.toThrow(new Failure('host-commands-refused'));
  });

  it('on the host is refused beside a credential, unless it is allowed by name; its own is empty', async () => {
    const programs = { path: process.env.PATH ?? '', pluginFolders: [], engineEnv: {} };
    const more = { programs: { ...programs, credentials: ['REGISTRY_PASSWORD'] } };
    const candidate = ofImage('candidate', '1.0.0', image);
    await expect(trial.run({ plan: onHost, candidate, more })).rejects.toMatchObject({
      code: 'credentials-in-test',
      message: expect.stringContaining('`REGISTRY_PASSWORD`') as string,
    });
    const check = [{ kind: 'host', command: 'test -z "$REGISTRY_PASSWORD" && test "$OWN"' }] as const;
    const { result } = await trial.run({ plan: { ...plan, check, allow: ['credentials'] }, candidate, more });
    expect(verdicts(result)).toEqual({ install: 'pass' });
  });
});

describe('an image that bears our labels', () => {
  const forged = (run: string) => ({
    Cmd: ['httpd', '-f', '-p', '8000', '-h', '/srv'],
    Labels: {
      'dev.knowngood.test.run': run,
      'dev.knowngood.test.until': '1',
      'dev.knowngood.test.owner': '',
      'com.docker.compose.project': `kg-${run}-install`,
    },
  });
  const plan = {
    deploy: { kind: 'image', ports: [{ container: 8000 }], volumes: [] },
    ready,
    tiers: [{ name: 'install' }],
  } as const satisfies Partial<TestPlan>;

  it('has nobody else’s container removed', async () => {
    const evil = await trial.image(
      'forged',
      '1',
      [{ path: 'srv/index.html', content: '' }],
      forged('forgedrun1'),
    );
    const bystander = await trial.docker.createContainer({ name: 'bystander', Image: evil });
    await bystander.start();
    try {
      const { result } = await trial.run({ plan, candidate: ofImage('candidate', '1.0.0', evil) });
      expect(verdicts(result)).toEqual({ install: 'pass' });
      expect((await bystander.inspect()).State.Running).toBe(true);
    } finally {
      await bystander.remove({ force: true });
    }
  });

  it('neither escapes clean-up nor has a living run taken down', async () => {
    const living = 'livingrun01';
    const evil = await trial.image('forged', '2', [{ path: 'srv/index.html', content: '' }], forged(living));
    let upThen: string[] = [];
    const first = await trial.run({
      id: living,
      plan: { ...plan, check: [{ kind: 'run', command: 'sleep 3' }] },
      candidate: ofImage('candidate', '1.0.0', image),
      more: {
        onPhase: ({ name }) => {
          if (name !== 'ready 1.0.0') return;
          void trial
            .run({ id: 'forgingrun1', plan, candidate: ofImage('candidate', '1.0.0', evil) })
            .then(async () => {
              upThen = (await trial.docker.listContainers()).flatMap(({ Names }) => Names);
            });
        },
      },
    });
    expect(verdicts(first.result)).toEqual({ install: 'pass' });
    expect(upThen).toContain(`/kg-${living}-install-app`);
    expect(upThen).not.toContain('/kg-forgingrun1-install-app');
    expect(await leftovers(trial.docker, living)).toEqual([]);
    expect(await leftovers(trial.docker, 'forgingrun1')).toEqual([]);
  });
});
