import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineApi } from '../../sandbox/docker-api.ts';
import { sandbox } from '../../sandbox/index.ts';
import { theExample } from './documents.ts';
import { type DroneProject, type DroneWorld, droneWorld } from './drone-project.ts';
import { leftOver, runOf } from './engine-view.ts';
import { inSandbox } from './outside-world.ts';
import { hostProgram } from './programs.ts';
import { ledgerToken } from './project.ts';
import { hostAddress } from './reachable.ts';
import { startWoodpecker, type WoodpeckerEnd, type WoodpeckerRun } from './woodpecker.ts';

const box = await sandbox();
const address = hostProgram('woodpecker-cli') && (await hostAddress(box));

describe.skipIf(!address)("pipelines by Woodpecker's own command line", () => {
  let world: DroneWorld;
  beforeAll(async () => {
    world = await droneWorld(box, address!);
  });
  afterAll(() => world?.stop());

  type Event = Pick<WoodpeckerRun, 'event' | 'ref'> & Partial<WoodpeckerRun>;
  const tag = (version: string): Event => ({ event: 'tag', ref: `refs/tags/${version}` });

  const start = async (text: string, made: DroneProject, event: Event, env: Record<string, string> = {}) => {
    const url = `${world.near(made.server)}/acme/notes.git`;
    const insecure = [box.registry.host, world.registry.host, made.server.slice(7)].map(world.near);
    return startWoodpecker(box, {
      pipeline: inSandbox(text, {
        image: world.near(made.image),
        plugin: world.images.plugin,
        socket: box.dockerHost.replace('unix://', ''),
      }),
      sha: event.sha ?? (await made.commitOf(event.ref.replace(/^refs\/(tags|heads)\//, ''))),
      url,
      checkout: await made.checkout(event.ref, url),
      ...event,
      secrets: { registry_password: world.registry.account.password, ledger_token: ledgerToken },
      // Its command line takes a comma for the begin of another variable.
      env: { PLUGIN_INSECURE_REGISTRIES: insecure.join('\n'), ...env },
    });
  };
  const run = async (...what: Parameters<typeof start>): Promise<WoodpeckerEnd> => (await start(...what)).end;

  it('woodpecker-release.yml: a release, the next one upgraded to, nothing the third time, a red one refused', async () => {
    const made = await world.project('woodpecker');
    const { text } = theExample('drone-plugin/examples/woodpecker-release.yml');
    const missing = await run(text, made, tag('1.0.0'));
    expect(missing.code, missing.log).not.toBe(0);
    expect(missing.log).toContain('knowngood: promote error ledger-missing');

    const first = await run(text, made, tag('1.0.0'), { PLUGIN_LEDGER_INIT: 'true' });
    expect(first.code, first.log).toBe(0);
    await made.repository.commit('notes 1.1.0, more of the same', { 'service/more': 'x' });
    await made.repository.tag('1.1.0');
    await made.push();
    const second = await run(text, made, tag('1.1.0'));
    expect(second.code, second.log).toBe(0);
    expect(second.log).toContain('knowngood: promote done promoted');
    expect(second.log).not.toContain(world.registry.account.password);
    expect(second.log).not.toContain(ledgerToken);
    const digest = await world.view.digest(`${made.image}:1.1.0`);
    expect(digest).toMatch(/^sha256:/);
    expect(await world.view.digest(`${made.image}:latest`)).toBe(digest);
    const record = JSON.parse(await made.ledger('notes/canonical.json'));
    expect(record).toMatchObject({ version: '1.1.0', sequence: 2, subject: { digest } });

    const again = await run(text, made, tag('1.1.0'));
    expect(again.code, again.log).toBe(0);
    expect(again.log).toMatch(/knowngood: [a-z-]+ skipped (already-canonical|no-new-version)/);

    await made.repository.commit('notes 1.2.0, broken', { 'service/start': '#!/bin/sh\nexit 7\n' });
    await made.repository.tag('1.2.0');
    await made.push();
    const red = await run(text, made, tag('1.2.0'));
    expect(red.log).toContain('knowngood: test refused crashed');
    expect(red.log).toContain('exit code 1');
    expect(JSON.parse(await made.ledger('notes/canonical.json'))).toEqual(record);
    await made.end();
  });

  it('settings arrive as they were written, and secrets never in the log', async () => {
    const made = await world.project('woodpecker-settings');
    await made.repository.commit('labels of build arguments', {
      Dockerfile: `FROM ${world.near(await box.base('busybox'))}\nARG SPACES\nARG QUOTES\nARG MORE\nLABEL spaces=$SPACES quotes=$QUOTES more=$MORE\n`,
    });
    await made.push();
    const text = readFileSync(join(import.meta.dirname, 'settings.woodpecker.yml'), 'utf8');
    const end = await run(text, made, { event: 'push', ref: 'refs/heads/main' });
    expect(end.code, end.log).toBe(0);
    expect(end.log).not.toContain(world.registry.account.password);
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

  it('a run that is cancelled removes what it made', async () => {
    const made = await world.project('woodpecker-cancelled');
    await made.repository.commit('never ready', { 'service/start': '#!/bin/sh\nsleep 300\n' });
    await made.repository.tag('1.1.0');
    await made.push();
    const { text } = theExample('drone-plugin/examples/woodpecker-release.yml');
    const running = await start(text, made, tag('1.1.0'), { PLUGIN_LEDGER_INIT: 'true' });
    for (let n = 0; !running.log().includes('install: start') && n < 300; n++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    const prefix = await runOf(box, await made.commitOf('1.1.0'));
    // As an agent stops a step. (`exec` leaves its container alone when it is interrupted.)
    const all = JSON.parse((await engineApi(box.dockerHost, 'GET', '/containers/json')).body.toString());
    const [step] = (all as { Id: string; Names: string[] }[]).filter(({ Names }) =>
      Names.some((name) => name.startsWith('/wp_')),
    );
    await engineApi(box.dockerHost, 'POST', `/containers/${step!.Id}/stop?t=20`);
    const end = await running.end;
    expect(end.code).not.toBe(0);
    expect(end.log).toContain('cancelled');
    expect(await leftOver(box, prefix)).toEqual([]);
    await made.end();
  });
});
