import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningRegistry, type Sandbox, sandbox } from '../../sandbox/index.ts';
import { examplesOf, theExample } from './documents.ts';
import { type PipelineEnd, type PipelineRun, runPipeline } from './drone.ts';
import { inSandbox } from './outside-world.ts';
import { buildPlugin, type PluginImages } from './plugin.ts';
import { hostProgram } from './programs.ts';
import { type HostedProject, ledgerToken, makeProject } from './project.ts';
import { alsoAt, hostAddress } from './reachable.ts';
import { type RegistryView, registryView } from './registry-view.ts';

const runner = hostProgram('drone-runner-docker');
const box: Sandbox = await sandbox();
const address = runner && (await hostAddress(box));
if (runner && address === undefined)
  process.stdout.write(
    'hosts: left out: Drone, as this engine takes no plain HTTP registry beside loopback\n',
  );

/** A name on loopback as containers know it. */
const near = (name: string): string => name.replace('127.0.0.1', address ?? '');

describe.skipIf(!address)("pipelines by Drone's own runner", () => {
  let images: PluginImages;
  let registry: RunningRegistry;
  let view: RegistryView;

  beforeAll(async () => {
    images = await buildPlugin(box);
    registry = await box.startRegistry({ auth: 'htpasswd' });
    view = await registryView(box, registry);
  });

  /** A project of its own, reachable from containers, and its image's name. */
  async function project(name: string) {
    const image = `${registry.host}/acme/${name}`;
    const base = near(await box.base('busybox'));
    const made = await makeProject({ base, image: near(image) });
    const stop = await alsoAt(address!, [made.server]);
    const end = async () => {
      await stop();
      await made.stop();
    };
    return { ...made, image, end };
  }

  let forwards: () => Promise<void>;
  beforeAll(async () => {
    forwards = await alsoAt(address!, [box.registry.host, registry.host]);
  });
  afterAll(() => forwards?.());

  async function run(
    id: string,
    made: HostedProject & { image: string },
    event: Pick<PipelineRun, 'event' | 'ref'>,
    more: { environ?: Record<string, string>; text?: string } = {},
  ): Promise<PipelineEnd> {
    const text = more.text ?? theExample(id).text;
    return runPipeline(box, {
      pipeline: inSandbox(text, {
        image: near(made.image),
        plugin: images.plugin,
        socket: box.dockerHost.replace('unix://', ''),
      }),
      name: /^name: (\S+)$/m.exec(text)![1]!,
      ...event,
      sha: await made.commitOf(event.ref.replace(/^refs\/(tags|heads)\//, '')),
      url: `${near(made.server)}/acme/notes.git`,
      clone: images.clone,
      secrets: { registry_password: registry.account.password, ledger_token: ledgerToken },
      environ: {
        PLUGIN_INSECURE_REGISTRIES: [box.registry.host, registry.host, made.server.slice(7)]
          .map(near)
          .join(','),
        ...more.environ,
      },
    });
  }

  const shown = ({ steps, error }: PipelineEnd): string =>
    steps.map(({ name, status, code, log }) => `== ${name}: ${status} ${code}\n${log}`).join('\n') + error;

  it('release.yml: a first release makes the ledger, a second one is upgraded to, a third time nothing', async () => {
    const made = await project('release');
    const id = 'drone-plugin/examples/release.yml';
    const tag = (version: string) => ({ event: 'tag', ref: `refs/tags/${version}` }) as const;

    const missing = await run(id, made, tag('1.0.0'));
    expect(missing.status).toBe('failure');
    expect(missing.steps.at(-1)).toMatchObject({ status: 'failure', code: 2 });
    expect(shown(missing)).toContain('knowngood: promote error ledger-missing');
    expect(await view.digest(`${made.image}:1.0.0`)).toBeUndefined();

    const first = await run(id, made, tag('1.0.0'), { environ: { PLUGIN_LEDGER_INIT: 'true' } });
    expect(first.status, shown(first)).toBe('success');
    await made.repository.commit('notes 1.1.0, more of the same', { 'service/more': 'x' });
    await made.repository.tag('1.1.0');
    await made.push();

    const second = await run(id, made, tag('1.1.0'));
    expect(second.status, shown(second)).toBe('success');
    expect(shown(second)).toContain('knowngood: promote done promoted');
    expect(shown(second)).not.toContain(registry.account.password);
    expect(shown(second)).not.toContain(ledgerToken);
    expect(second.steps.at(-1)!.card).toMatchObject({
      data: { title: 'knowngood promote', outcome: 'done', reason: 'promoted' },
    });
    const digest = await view.digest(`${made.image}:1.1.0`);
    expect(digest).toMatch(/^sha256:/);
    for (const floating of ['1.1', '1', 'latest'])
      expect(await view.digest(`${made.image}:${floating}`)).toBe(digest);
    const record = JSON.parse(await made.ledger('notes/canonical.json'));
    expect(record).toMatchObject({ version: '1.1.0', sequence: 2, subject: { digest } });

    const again = await run(id, made, tag('1.1.0'));
    expect(again.status, shown(again)).toBe('success');
    expect(shown(again)).toMatch(/knowngood: [a-z-]+ skipped (already-canonical|no-new-version)/);
    expect(JSON.parse(await made.ledger('notes/canonical.json'))).toEqual(record);
    await made.end();
  });

  it("steps.yml: the same as single steps, with something of one's own between them", async () => {
    const made = await project('steps');
    const id = 'drone-plugin/examples/steps.yml';
    const environ = { PLUGIN_LEDGER_INIT: 'true' };
    const end = await run(id, made, { event: 'tag', ref: 'refs/tags/1.0.0' }, { environ });
    expect(end.status, shown(end)).toBe('success');
    const digest = await view.digest(`${made.image}:1.0.0`);
    expect(end.steps.find(({ name }) => name === 'say what was built')!.log).toContain(
      `${near(made.image)}@${digest}`,
    );
    expect(end.steps.map(({ name, status }) => [name, status])).toEqual(
      ['clone', 'label', 'build', 'say what was built', 'test', 'promote'].map((name) => [name, 'success']),
    );
    await made.end();
  });

  it('README: the same pipeline', async () => {
    const made = await project('readme');
    const environ = { PLUGIN_LEDGER_INIT: 'true' };
    const end = await run('README.md#2', made, { event: 'tag', ref: 'refs/tags/1.0.0' }, { environ });
    expect(end.status, shown(end)).toBe('success');
    expect(await view.digest(`${made.image}:latest`)).toBe(await view.digest(`${made.image}:1.0.0`));
    await made.end();
  });

  // Each was begun: drift against an open registry, testme with `engineOverTcp` and `images.forwarder` as its engine.
  it.todo('drift.yml: looks every night, and says what it found');
  it.todo('testme.yml: a custom build tests the candidate on an engine of its own, without a secret');
  it.todo('sweep.yml: the whole fleet, weekly');
  it.todo('docs/drift.md#2, docs/promote.md#3, docs/test.md#7');

  it('settings arrive as they were written, and secrets never in the log', async () => {
    const made = await project('settings');
    await made.repository.commit('labels of build arguments', {
      Dockerfile: `FROM ${near(await box.base('busybox'))}\nARG SPACES\nARG QUOTES\nARG MORE\nLABEL spaces=$SPACES quotes=$QUOTES more=$MORE\n`,
    });
    await made.push();
    const text = readFileSync(join(import.meta.dirname, 'settings.drone.yml'), 'utf8');
    const end = await run('', made, { event: 'push', ref: 'refs/heads/main' }, { text });
    expect(end.status, shown(end)).toBe('success');
    expect(shown(end)).not.toContain(registry.account.password);
    const commit = (await made.commitOf('main')).slice(0, 12);
    const { Labels: labels } = (await view.config(`${made.image}:sha-${commit}`)).config;
    expect(labels).toMatchObject({
      spaces: 'hello  wide world',
      quotes: `"double" and 'single' $dollar \\back`,
      more: 'a,b=c',
      'org.example.lines': 'first\nsecond',
      'org.example.comma': 'a,b=c',
    });
    expect(await view.tags(made.image)).toEqual(expect.arrayContaining(['one', 'two']));
    await made.end();
  });

  it('knows every example of the plugin', () => {
    const run = ['release', 'steps', 'drift', 'testme', 'sweep'].map(
      (name) => `drone-plugin/examples/${name}.yml`,
    );
    expect(
      examplesOf('drone')
        .map(({ id }) => id)
        .sort(),
    ).toEqual([...run, 'README.md#2', 'docs/drift.md#2', 'docs/promote.md#3', 'docs/test.md#7'].sort());
  });
});
