import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../sandbox/index.ts';
import { type DroneWorld, droneWorld, shown, tag } from './drone-project.ts';
import { hostProgram } from './programs.ts';
import { ledgerToken } from './project.ts';
import { hostAddress } from './reachable.ts';

const runner = hostProgram('drone-runner-docker');
const box: Sandbox = await sandbox();
const address = runner && (await hostAddress(box));
if (runner && address === undefined)
  process.stdout.write(
    'hosts: left out: Drone, as this engine takes no plain HTTP registry beside loopback\n',
  );

describe.skipIf(!address)("pipelines by Drone's own runner", () => {
  let world: DroneWorld;
  beforeAll(async () => {
    world = await droneWorld(box, address!);
  });
  afterAll(() => world?.stop());

  it('release.yml: a first release makes the ledger, a second one is upgraded to, a third time nothing', async () => {
    const made = await world.project('release');
    const id = 'drone-plugin/examples/release.yml';

    const missing = await world.run(id, made, tag('1.0.0'));
    expect(missing.status).toBe('failure');
    expect(missing.steps.at(-1)).toMatchObject({ status: 'failure', code: 2 });
    expect(shown(missing)).toContain('knowngood: promote error ledger-missing');
    expect(await world.view.digest(`${made.image}:1.0.0`)).toBeUndefined();

    const first = await world.run(id, made, tag('1.0.0'), { environ: { PLUGIN_LEDGER_INIT: 'true' } });
    expect(first.status, shown(first)).toBe('success');
    await made.repository.commit('notes 1.1.0, more of the same', { 'service/more': 'x' });
    await made.repository.tag('1.1.0');
    await made.push();

    const second = await world.run(id, made, tag('1.1.0'));
    expect(second.status, shown(second)).toBe('success');
    expect(shown(second)).toContain('knowngood: promote done promoted');
    expect(shown(second)).not.toContain(world.registry.account.password);
    expect(shown(second)).not.toContain(ledgerToken);
    expect(second.steps.at(-1)!.card).toMatchObject({
      data: { title: 'knowngood promote', outcome: 'done', reason: 'promoted' },
    });
    const digest = await world.view.digest(`${made.image}:1.1.0`);
    expect(digest).toMatch(/^sha256:/);
    for (const floating of ['1.1', '1', 'latest'])
      expect(await world.view.digest(`${made.image}:${floating}`)).toBe(digest);
    const record = JSON.parse(await made.ledger('notes/canonical.json'));
    expect(record).toMatchObject({ version: '1.1.0', sequence: 2, subject: { digest } });

    const again = await world.run(id, made, tag('1.1.0'));
    expect(again.status, shown(again)).toBe('success');
    expect(shown(again)).toMatch(/knowngood: [a-z-]+ skipped (already-canonical|no-new-version)/);
    expect(JSON.parse(await made.ledger('notes/canonical.json'))).toEqual(record);
    await made.end();
  });

  it("steps.yml: the same as single steps, with something of one's own between them", async () => {
    const made = await world.project('steps');
    const id = 'drone-plugin/examples/steps.yml';
    const environ = { PLUGIN_LEDGER_INIT: 'true' };
    const end = await world.run(id, made, tag('1.0.0'), { environ });
    expect(end.status, shown(end)).toBe('success');
    const digest = await world.view.digest(`${made.image}:1.0.0`);
    expect(end.steps.find(({ name }) => name === 'say what was built')!.log).toContain(
      `${world.near(made.image)}@${digest}`,
    );
    expect(end.steps.map(({ name, status }) => [name, status])).toEqual(
      ['clone', 'label', 'build', 'say what was built', 'test', 'promote'].map((name) => [name, 'success']),
    );
    await made.end();
  });

  it('settings arrive as they were written, and secrets never in the log', async () => {
    const made = await world.project('settings');
    await made.repository.commit('labels of build arguments', {
      Dockerfile: `FROM ${world.near(await box.base('busybox'))}\nARG SPACES\nARG QUOTES\nARG MORE\nLABEL spaces=$SPACES quotes=$QUOTES more=$MORE\n`,
    });
    await made.push();
    const text = readFileSync(join(import.meta.dirname, 'settings.drone.yml'), 'utf8');
    const end = await world.run('', made, { event: 'push', ref: 'refs/heads/main' }, { text });
    expect(end.status, shown(end)).toBe('success');
    expect(shown(end)).not.toContain(world.registry.account.password);
    const commit = (await made.commitOf('main')).slice(0, 12);
    const { Labels: labels } = (await world.view.config(`${made.image}:sha-${commit}`)).config;
    expect(labels).toMatchObject({
      spaces: 'hello  wide world',
      quotes: `"double" and 'single' $dollar \\back`,
      more: 'a,b=c',
      'org.example.lines': 'first\nsecond',
      'org.example.comma': 'a,b=c',
    });
    expect(await world.view.tags(made.image)).toEqual(expect.arrayContaining(['one', 'two']));
    await made.end();
  });
});
