import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBaseImage } from '../../../sandbox/base-images.ts';
import type { DeployPlan, TestPlan } from '../../../src/harness/plan.ts';
import { bundleChild } from './child-bundle.ts';
import { clientOf } from './request.ts';
import { leftovers, ofImage, openTrial, type Trial, verdicts } from './trial.ts';

let trial: Trial;
let images: readonly [base: string, candidate: string];
let folder: string;
/** Two hundred megabytes, so once. */
let plugin: Promise<string> | undefined;
beforeAll(async () => {
  trial = await openTrial();
  const image = (tag: string): Promise<string> =>
    trial.image('reached', tag, [{ path: 'version', content: tag }], {
      Cmd: ['httpd', '-f', '-p', '8000', '-h', '/site'],
    });
  images = [await image('1.0.0'), await image('2.0.0')];
  folder = trial.folder('tree');
  writeFiles(folder);
});
afterAll(() => trial.close());

/** A tree with a folder and a file to bind, wherever the engine is. */
function writeFiles(into: string): void {
  mkdirSync(join(into, 'site'), { recursive: true });
  writeFileSync(join(into, 'site', 'index.html'), 'a folder');
  writeFileSync(join(into, 'one.conf'), 'a single file');
  writeFileSync(
    join(into, 'compose.yml'),
    `
services:
  app:
    image: "harness/reached"
    volumes: ["./site:/site:ro", "./one.conf:/etc/one.conf:ro", "data:/data"]
volumes: { data: {} }
`,
  );
}

const deploys: readonly DeployPlan[] = [
  {
    kind: 'image',
    ports: [{ container: 8000 }],
    volumes: [
      { kind: 'bind', source: 'site', target: '/site', readOnly: true },
      { kind: 'bind', source: 'one.conf', target: '/etc/one.conf', readOnly: true },
      { kind: 'volume', source: 'data', target: '/data', readOnly: false },
    ],
  },
  { kind: 'compose', files: ['compose.yml'], profiles: [] },
];

const plan = (deploy: DeployPlan): Partial<TestPlan> & Pick<TestPlan, 'deploy'> => ({
  deploy,
  ready: { how: { kind: 'http', path: '/' }, timeoutMs: 60_000 },
  beforeUpgrade: [{ kind: 'exec', command: 'mkdir -p /data && echo kept > /data/note' }],
  check: [
    { kind: 'http', path: '/', contains: 'a folder' },
    { kind: 'exec', command: 'grep "a single file" /etc/one.conf' },
    { kind: 'run', command: 'wget -qO- "$KNOWNGOOD_URL" | grep "a folder"' },
  ],
  tiers: [
    { name: 'install' },
    { name: 'upgrade' },
    { name: 'kept', commands: [{ kind: 'exec', command: 'grep kept /data/note' }] },
  ],
});
const green = { install: 'pass', upgrade: 'pass', kept: 'pass' };

/** The compose file names the repository; which image it is, the release says. */
const ofTree = (role: 'base' | 'candidate', version: string, reference: string, tree: string) => {
  const release = ofImage(role, version, reference, { folder: tree });
  writeFileSync(
    join(tree, 'compose.yml'),
    readFileSync(join(tree, 'compose.yml'), 'utf8').replace(/image: .*/, `image: "${reference}"`),
  );
  return release;
};

describe.each(deploys)('reaching a subject deployed by $kind', (deploy) => {
  it('on this machine', async () => {
    const { result, id, out } = await trial.run({
      plan: plan(deploy),
      candidate: ofTree('candidate', '2.0.0', images[1], folder),
      bases: [ofTree('base', '1.0.0', images[0], folder)],
    });
    expect(result.troubles).toEqual([]);
    expect(verdicts(result)).toEqual(green);
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });

  it('on an engine that is spoken to over TCP and sees none of our files', async () => {
    const { address, close } = await tcpDoor(trial.box.dockerHost.replace('unix://', ''));
    try {
      const { result, id, out } = await trial.run({
        plan: plan(deploy),
        candidate: ofTree('candidate', '2.0.0', images[1], folder),
        bases: [ofTree('base', '1.0.0', images[0], folder)],
        more: { docker: clientOf(address), engine: { ...trial.info, address } },
      });
      expect(result.troubles).toEqual([]);
      expect(verdicts(result)).toEqual(green);
      expect(await leftovers(trial.docker, id, out)).toEqual([]);
    } finally {
      close();
    }
  });

  it('from a container beside it, as a plugin of Drone is', async () => {
    const request = trial.request(plan(deploy), ofTree('candidate', '2.0.0', images[1], folder), [
      ofTree('base', '1.0.0', images[0], folder),
    ]);
    const inside = {
      ...request,
      out: '/out',
      path: '/usr/local/bin:/usr/bin:/bin',
      pluginFolders: ['/usr/local/lib/docker/cli-plugins'],
      engine: { ...request.engine, address: 'unix:///var/run/docker.sock' },
      candidate: { ...request.candidate, folder: '/drone/src' },
      bases: request.bases.map((base) => ({ ...base, folder: '/drone/src' })),
    };
    const shared = trial.folder(`step-${request.id}`);
    writeFiles(join(shared, 'src'));
    ofTree('candidate', '2.0.0', images[1], join(shared, 'src'));
    writeFileSync(join(shared, 'request.json'), JSON.stringify(inside));
    await bundleChild(join(shared, 'run-child.mjs'));
    plugin ??= trial.box.image('harness/plugin', '1', await makeBaseImage('plugin'));
    const step = await trial.docker.createContainer({
      name: `step-${request.id}`,
      Image: await plugin,
      Cmd: ['sh', '-c', 'mkdir -p /out /tmp && exec node /drone/run-child.mjs /drone/request.json'],
      HostConfig: {
        Binds: [`${shared}:/drone`, `${trial.box.dockerHost.replace('unix://', '')}:/var/run/docker.sock`],
      },
    });
    try {
      await step.start();
      await step.wait();
      const output = (await step.logs({ stdout: true, stderr: true })).toString();
      const line = output.split('\n').find((one) => one.includes('{"result":'));
      expect(line, output).toBeDefined();
      const { result } = JSON.parse(line!.slice(line!.indexOf('{"result":')));
      expect(result.troubles).toEqual([]);
      expect(verdicts(result)).toEqual(green);
      expect(await leftovers(trial.docker, request.id)).toEqual([]);
      // It was taken off the run's networks, and stays on its own.
      expect(Object.keys((await step.inspect()).NetworkSettings.Networks)).toEqual(['bridge']);
    } finally {
      await step.remove({ force: true });
    }
  });
});

/** A port of loopback behind which the engine's socket is. */
async function tcpDoor(socket: string): Promise<{ address: string; close(): void }> {
  const open = new Set<{ destroy(): void }>();
  const server: Server = createServer({ allowHalfOpen: true }, (from) => {
    const to = connect({ path: socket, allowHalfOpen: true });
    for (const end of [from, to]) {
      open.add(end);
      end.on('error', () => undefined);
      end.on('close', () => open.delete(end));
    }
    from.pipe(to).pipe(from);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  return {
    address: `tcp://127.0.0.1:${port}`,
    close() {
      for (const end of open) end.destroy();
      server.close();
    },
  };
}
