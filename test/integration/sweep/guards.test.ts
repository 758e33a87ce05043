import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { runName } from '../../../src/harness/naming.ts';
import { thisOwner } from '../../../src/harness/owner.ts';
import { type FleetWorld, makeFleet } from './fleet.ts';

let box: Sandbox;
let world: FleetWorld;
let docker: Docker;

beforeAll(async () => {
  // Of its own: what runs on it is looked at.
  box = await sandbox({ engine: 'own' });
  docker = new Docker({ socketPath: box.dockerHost.replace('unix://', '') });
  world = await makeFleet(box);
  const names = ['one', 'two'];
  for (const name of names) await (await world.recipe(name)).release('1.0.0');
  world.list(names.map((recipe) => ({ recipe, repository: `${world.server.url}/${recipe}.git` })));
}, 120_000);
afterAll(async () => {
  await world.stop();
  await box.stop();
});

const answers = (): readonly string[] =>
  world.results().map(({ recipe, outcome, reasons }) => `${recipe} ${outcome} ${reasons[0]}`);

/** A container of another test, as that of `owner` would be there. */
async function testOf(owner: string): Promise<Docker.Container> {
  const run = runName('abcdefgh1', 'elsewhere', Math.floor(Date.now() / 1000) + 3600, owner);
  const made = await docker.createContainer({
    name: run.name('app'),
    Image: await box.base('busybox'),
    Cmd: ['sleep', '600'],
    StopSignal: 'SIGKILL',
    Labels: run.labels(),
  });
  await made.start();
  return made;
}

describe('nothing starts', { timeout: 120_000 }, () => {
  it.each([
    ['with too little disk', ['--disk-budget', '900000TiB'], 'disk-budget'],
    ['after the time', ['--time-budget', '0s'], 'time-budget'],
  ])('%s', async (_name, args, code) => {
    const end = await world.sweep('--ledger-init', ...args);
    expect(answers()).toEqual([`one deferred ${code}`, `two deferred ${code}`]);
    expect(end.output).not.toContain('── build-push');
    expect(end.code).toBe(0);
  });

  it('while another test runs on this engine; it is waited for, and what was killed is not', async () => {
    const other = await testOf(thisOwner());
    const end = await world.sweep('--time-budget', '12s');
    expect(end.output).toContain('Waiting: elsewhere is being tested on this engine.');
    expect(end.output).not.toContain('── build-push');
    expect(answers()).toEqual(['one deferred time-budget', 'two deferred time-budget']);

    await Promise.all([
      world.sweep('--concurrency', '2'),
      sleep(4000).then(() => other.remove({ force: true })),
    ]);
    expect(answers().toSorted()).toEqual(['one promoted promoted', 'two promoted promoted']);

    // A process number that nobody has any more.
    const dead = await testOf(thisOwner().replace(/\.\d+\.(\d+)$/, '.999999999.$1'));
    const last = await world.sweep('--time-budget', '20s');
    expect(last.output).not.toContain('Waiting');
    expect(answers()).toEqual(['one skipped no-new-version', 'two skipped no-new-version']);
    await dead.remove({ force: true });
  });

  it('of a size that is none', async () => {
    const end = await world.sweep('--disk-budget', 'much');
    expect(end.output).toContain('error: setting-invalid: ');
    expect(end.code).toBe(2);
  });
});
