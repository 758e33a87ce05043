import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeImage, pushImage } from '../../../sandbox/image.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import type { SweepResult } from '../../../src/rules/sweep/result.ts';
import { type FleetRecipe, type FleetWorld, makeFleet } from './fleet.ts';

let box: Sandbox;
let world: FleetWorld;

beforeAll(async () => {
  // Of its own: a sweep waits while another run is in flight on its engine.
  box = await sandbox({ engine: 'own' });
  world = await makeFleet(box);
});
afterAll(async () => {
  await world.stop();
  await box.stop();
});

const entry = (recipe: FleetRecipe, more: object = {}): object => ({
  recipe: recipe.name,
  repository: `${world.server.url}/${recipe.name}.git`,
  ...more,
});

function answers(results: readonly SweepResult[]): Record<string, string> {
  return Object.fromEntries(
    results.map(({ recipe, outcome, reasons }) => [recipe, `${outcome} ${reasons[0] ?? ''}`]).sort(),
  );
}

describe('a fleet with every outcome in it', () => {
  const entries: object[] = [];
  let first: Awaited<ReturnType<FleetWorld['sweep']>>;
  let before: string;

  beforeAll(async () => {
    // What is canonical already: everything in the first round.
    const released: Record<string, FleetRecipe> = {};
    const old = ['new-1', 'new-2', 'red', 'inconclusive', 'gated', 'held', 'moved', 'ahead'];
    for (const name of [...old, ...Array.from({ length: 3 }, (_, index) => `still-${index + 1}`)]) {
      released[name] = await world.recipe(name);
      await released[name].release(name === 'ahead' ? '1.1.0' : '1.0.0');
      entries.push(entry(released[name]));
    }
    world.list(entries);
    const initial = await world.sweep('--ledger-init', '--concurrency', '2');
    expect(new Set(Object.values(answers(initial.results)))).toEqual(new Set(['promoted promoted']));
    expect(initial.results).toHaveLength(entries.length);

    // What happened since.
    await released['new-1']!.release('1.1.0');
    await released['new-2']!.release('2.0.0-rc.1');
    await released['new-2']!.release('1.0.1');
    await released.red!.release('1.1.0', { check: 'false' });
    await released.gated!.release('1.1.0');
    const foreign = await makeImage([[{ path: 'other', content: 'bytes' }]]);
    await pushImage(
      box.registry.host,
      released.gated!.image.replace(`${box.registry.host}/`, ''),
      '1.1.0',
      foreign,
    );
    await released.inconclusive!.repository.commit('an image that is nowhere', {
      'knowngood.yml': `image: ${released.inconclusive!.image}\ntest:\n  check: { run: { command: "true", image: "${box.registry.host}/no/such:1" } }\n`,
    });
    await released.inconclusive!.repository.tag('1.1.0');
    await released.inconclusive!.push('main', '1.1.0');
    await released.held!.release('1.1.0');
    const held = await world.run(
      'hold',
      '--fleet',
      'fleet.yml',
      '--recipe',
      'held',
      '--version',
      '1.1.0',
      '--why',
      'loses data',
    );
    expect(held.output).toContain('knowngood: hold done');
    await released.moved!.release('0', { tag: false });
    await released.moved!.repository.git('tag', '-f', '1.0.0');
    await released.moved!.push('1.0.0');
    await released.ahead!.repository.tag('1.0.0', { at: 'main~1' });
    await released.ahead!.push('1.0.0', ':refs/tags/1.1.0');
    await released['still-1']!.release('work in progress', { tag: false });

    const untagged = await world.recipe('never');
    await untagged.release('0.1', { tag: false });
    const late = await world.recipe('first');
    await late.release('0.1.0');
    const own = await world.recipe('not-by-itself', { knowngood: 'enrolled: false\n' });
    await own.release('1.0.0');
    const notListed = await world.recipe('not-by-fleet');
    await notListed.release('1.0.0');
    const broken = await world.recipe('broken', { knowngood: 'imagee: x\n' });
    await broken.release('1.0.0');
    const compose = await world.recipe('compose', {
      files: {
        'knowngood.yml': 'test:\n  deploy: compose\n  check: { exec: "true" }\n',
        Dockerfile: '# none\n',
        'compose.yml': `services:\n  app:\n    image: ${await box.base('busybox')}\n    command: sleep 1000\n    stop_signal: SIGKILL\n`,
      },
    });
    await compose.release('1.0.0');
    const mirror = await world.recipe('stale');
    await mirror.release('1.0.0');
    entries.push(
      entry(untagged),
      entry(late),
      entry(own),
      entry(notListed, { enrolled: false, reason: 'moves to another host' }),
      entry(broken),
      entry(compose),
      { recipe: 'gone', repository: `${world.server.url}/gone.git` },
      entry(mirror, { 'mirror-of': `${world.server.url}/upstream-that-is-gone.git` }),
    );
    for (let index = entries.length; index < 40; index += 1) {
      const more = await world.recipe(`quiet-${index}`);
      await more.release('1.0.0', { tag: false });
      entries.push(entry(more));
    }
    world.list(entries);
    first = await world.sweep('--concurrency', '2');
    before = world.ledgerBytes();
  }, 400_000);

  it('gives each recipe exactly one result, as expected', () => {
    const answer = answers(first.results);
    expect(first.results).toHaveLength(40);
    expect(answer).toMatchObject({
      'new-1': 'promoted promoted',
      'new-2': 'promoted promoted',
      first: 'promoted promoted',
      compose: 'promoted promoted',
      red: 'red check-failed',
      gated: 'gated dest-tag-conflict',
      held: 'skipped held',
      moved: 'skipped canonical-tag-moved',
      ahead: 'skipped canonical-ahead',
      never: 'skipped never-released',
      'not-by-itself': 'skipped not-enrolled',
      'not-by-fleet': 'skipped not-enrolled',
      broken: 'error config-invalid',
      gone: 'error git-denied',
      stale: 'error mirror-stale',
    });
    expect(answer.inconclusive).toMatch(/^inconclusive /);
    for (let index = 1; index <= 3; index += 1)
      expect(answer[`still-${index}`]).toBe('skipped no-new-version');
  });

  it('is an error, says so, and its counts add up', () => {
    expect(first.code).toBe(2);
    expect(first.output).toContain('knowngood: sweep error sweep-errors');
    const counts = [
      ...first.output.matchAll(/^ {2}(?:promoted|red|inconclusive|gated|skipped|deferred|error) +(\d+)$/gm),
    ];
    expect(counts.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(40);
  });

  it('a second sweep right after writes nothing and runs nothing', async () => {
    const second = await world.sweep();
    const answer = answers(second.results);
    expect(second.results).toHaveLength(40);
    expect(world.ledgerBytes()).toBe(before);
    expect(second.output).not.toContain('── build-push');
    expect(answer).toMatchObject({
      'new-1': 'skipped no-new-version',
      first: 'skipped no-new-version',
      compose: 'skipped no-new-version',
      red: 'deferred backoff',
      gated: 'deferred backoff',
      inconclusive: 'deferred backoff',
      broken: 'error config-invalid',
      gone: 'error git-denied',
      stale: 'error mirror-stale',
    });
  });

  it('asks each unchanged recipe once', async () => {
    const requests = (): number =>
      world.server.requests.filter(({ path }) => /\/still-2\.git\//.test(path)).length;
    const earlier = requests();
    await world.sweep();
    expect(requests() - earlier).toBe(1);
  });
});

describe('a sweep that looked at nothing is not green', () => {
  it.each([
    ['an empty fleet', '{"recipes": []}', 'fleet-empty'],
    ['a fleet that is no YAML', 'recipes: [', 'config-invalid'],
    ['a fleet with an unknown key', '{"recipe": []}', 'config-invalid'],
  ])('%s', async (_name, text, code) => {
    const other = await makeFleet(box);
    other.list([]);
    const { writeFileSync } = await import('node:fs');
    writeFileSync(join(other.root, 'fleet', 'fleet.yml'), text);
    const ended = await other.sweep('--ledger', `file:${other.ledger}`, '--ledger-init');
    expect(ended.output).toContain(`error: ${code}: `);
    expect(ended.code).toBe(2);
    await other.stop();
  });

  it('no fleet at all', async () => {
    const other = await makeFleet(box);
    const ended = await other.sweep();
    expect(ended.output).toContain('error: fleet-unreadable: ');
    expect(ended.code).toBe(2);
    rmSync(other.root, { recursive: true, force: true });
    await other.stop();
  });
});
