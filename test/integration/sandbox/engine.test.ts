import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { command } from '../../../sandbox/command.ts';
import { engineFacts } from '../../../sandbox/docker-api.ts';
import { canStart, type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { projectRoot } from '../../../sandbox/paths.ts';
import { nothing, processes, tracesOf } from './traces.ts';

const { own } = await canStart();
const open: Sandbox[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const box of open.splice(0)) await box.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function started(engine: Parameters<typeof sandbox>[0]): Promise<Sandbox> {
  const box = await sandbox(engine);
  open.push(box);
  return box;
}

const docker = async (box: Sandbox, ...args: string[]) =>
  (await command(['docker', ...args], { env: { ...process.env, ...box.env } })).trim();

async function built(box: Sandbox, tag: string, lines: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'context-'));
  folders.push(folder);
  writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
  const name = `${box.registry.host}/${tag}`;
  await docker(box, 'build', '-t', name, folder);
  return name;
}

async function comes<T>(look: () => T | Promise<T>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await look()) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
}

describe.skipIf(!own)('an engine of our own', () => {
  it('builds with RUN, pushes, publishes ports on loopback, and resolves names in networks', async () => {
    const box = await started({ engine: 'own' });
    expect(box.engine).toMatchObject({ kind: 'docker', found: false });
    const from = await box.base('busybox');
    const lines = [
      'RUN mkdir /www && echo hello >/www/index.html',
      'CMD ["httpd","-f","-p","80","-h","/www"]',
    ];
    const name = await built(box, 'web/hello:1', [`FROM ${from}`, ...lines]);
    expect(await docker(box, 'push', name)).toContain('digest: sha256:');

    await docker(box, 'run', '-d', '--name', 'web', '-p', '127.0.0.1::80', name);
    const address = await docker(box, 'port', 'web', '80');
    const answer = await fetch(`http://${address}/`);
    expect(await answer.text()).toBe('hello\n');

    await docker(box, 'network', 'create', 'apart');
    await docker(box, 'run', '-d', '--network', 'apart', '--name', 'named', name);
    const asked = ['run', '--rm', '--network', 'apart', from, 'wget', '-qO-', 'http://named/'];
    expect(await docker(box, ...asked)).toBe('hello');
  });

  it('runs beside another one, each with its own containers, ports and addresses', async () => {
    const [one, two] = await Promise.all([started({ engine: 'own' }), started({ engine: 'own' })]);
    expect(one.dockerHost).not.toBe(two.dockerHost);
    expect(one.registry.host).not.toBe(two.registry.host);
    const gateway = async (box: Sandbox) =>
      docker(box, 'network', 'inspect', 'bridge', '--format', '{{(index .IPAM.Config 0).Subnet}}');
    expect(await gateway(one)).not.toBe(await gateway(two));
    const from = await one.base('busybox');
    await docker(one, 'run', '-d', '--name', 'only', from, 'sleep', '600');
    expect(await docker(two, 'ps', '-aq')).toBe('');
    await two.stop();
    expect(await docker(one, 'ps', '--format', '{{.Names}}')).toBe('only');
  });

  it('leaves nothing behind', async () => {
    const box = await started({ engine: 'own' });
    const from = await box.base('busybox');
    await docker(box, 'network', 'create', 'apart');
    await docker(box, 'run', '-d', '--network', 'apart', from, 'sleep', '600');
    const run = dirname(box.env.DOCKER_CONFIG!);
    const traces = tracesOf(run, box.dockerHost);
    expect(traces()).toMatchObject({
      folder: true,
      sockets: true,
      processes: true,
      mounts: true,
      links: true,
    });
    await box.stop();
    expect(traces()).toEqual(nothing);
  });
});

describe.skipIf(!own)('an engine that runs already', () => {
  it('is used, goes on running, and keeps no image of ours', async () => {
    const theirs = await started({ engine: 'own' });
    const from = await theirs.base('busybox');
    await docker(theirs, 'run', '-d', '--name', 'theirs', from, 'sleep', '600');
    const before = await docker(theirs, 'images', '-a', '--no-trunc');

    const kept = { host: process.env.DOCKER_HOST, shared: process.env.KNOWNGOOD_SANDBOX };
    process.env.DOCKER_HOST = theirs.dockerHost;
    delete process.env.KNOWNGOOD_SANDBOX;
    try {
      const ours = await sandbox();
      expect(ours.dockerHost).toBe(theirs.dockerHost);
      expect(ours.engine.found).toBe(true);
      await built(ours, 'their/engine:1', [`FROM ${await ours.base('busybox')}`, 'RUN echo ours >/ours']);
      await ours.stop();
    } finally {
      for (const [name, value] of [
        ['DOCKER_HOST', kept.host],
        ['KNOWNGOOD_SANDBOX', kept.shared],
      ] as const) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
    expect(await docker(theirs, 'ps', '--format', '{{.Names}}')).toBe('theirs');
    expect(await docker(theirs, 'images', '-a', '--no-trunc')).toBe(before);
  });

  it('that DOCKER_HOST names but does not answer is an error, not a reason to start another', async () => {
    const kept = { host: process.env.DOCKER_HOST, shared: process.env.KNOWNGOOD_SANDBOX };
    process.env.DOCKER_HOST = 'unix:///nowhere/docker.sock';
    delete process.env.KNOWNGOOD_SANDBOX;
    try {
      await expect(sandbox()).rejects.toThrow(/no engine answers there/);
    } finally {
      if (kept.host === undefined) delete process.env.DOCKER_HOST;
      else process.env.DOCKER_HOST = kept.host;
      if (kept.shared !== undefined) process.env.KNOWNGOOD_SANDBOX = kept.shared;
    }
  });
});

describe.skipIf(!own)('a crash of the owner', () => {
  async function owner() {
    const { KNOWNGOOD_SANDBOX: _, ...env } = process.env;
    const script = [join(projectRoot, 'scripts/run.mjs'), 'test/integration/sandbox/owner.ts'];
    const child = spawn(process.execPath, script, {
      env,
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    await comes(() => said.includes('\n'));
    const { dockerHost, config } = JSON.parse(said) as { dockerHost: string; config: string };
    const kill = async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    };
    return { dockerHost, run: dirname(config), kill };
  }

  it('is noticed: everything is removed without anybody asking', async () => {
    const { dockerHost, run, kill } = await owner();
    const traces = tracesOf(run, dockerHost);
    expect(await engineFacts(dockerHost)).toBeDefined();
    await kill();
    await comes(() => !traces().folder);
    expect(traces()).toEqual(nothing);
  });

  it('together with its watcher is cleaned up at the next start', async () => {
    const { dockerHost, run, kill } = await owner();
    const traces = tracesOf(run, dockerHost);
    const watcher = processes((words) => words.includes(`watch\0`) && words.includes(run));
    expect(watcher).toHaveLength(1);
    process.kill(watcher[0]!, 'SIGKILL');
    await kill();
    expect(await engineFacts(dockerHost)).toBeDefined();
    await started({ engine: 'none' });
    expect(traces()).toEqual(nothing);
  });
});
