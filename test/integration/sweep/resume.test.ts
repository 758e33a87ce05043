import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import type { SweepResult } from '../../../src/rules/sweep/result.ts';
import { type FleetRecipe, type FleetWorld, makeFleet } from './fleet.ts';

let box: Sandbox;
let world: FleetWorld;

beforeAll(async () => {
  box = await sandbox({ engine: 'own' });
});
afterAll(() => box.stop());

const entryOf = (recipe: FleetRecipe, more: object = {}): object => ({
  recipe: recipe.name,
  repository: `${world.server.url}/${recipe.name}.git`,
  ...more,
});
const answers = (results: readonly SweepResult[]): Record<string, string> =>
  Object.fromEntries(
    results.map(({ recipe, outcome, reasons }) => [recipe, `${outcome} ${reasons[0] ?? ''}`]).sort(),
  );

const entryPoint =
  process.env.KNOWNGOOD_BUNDLE ?? fileURLToPath(new URL('../../../dist/index.js', import.meta.url));

/** Starts a sweep and kills it after a while, as a machine that falls does. */
async function killed(afterMs: number): Promise<void> {
  const env = { ...box.env, PATH: `${dirname(await box.tool('docker'))}:${box.env.PATH}` };
  const args = [entryPoint, 'sweep', '--fleet', 'fleet.yml'];
  const child = spawn(process.execPath, args, { cwd: join(world.root, 'fleet'), env, stdio: 'ignore' });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
    child.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** What a record says that does not depend on when. */
function stateOf(name: string): string {
  const path = join(world.ledger, name, 'canonical.json');
  const { version, commit, sequence, subject } = JSON.parse(readFileSync(path, 'utf8')) as Record<
    string,
    unknown
  >;
  return JSON.stringify({ version, commit, sequence, kind: (subject as { kind: string }).kind });
}

describe('a sweep that is killed and started again', () => {
  it('ends where one that was not killed ends', { timeout: 600_000 }, async () => {
    world = await makeFleet(box);
    const recipes = await Promise.all(['one', 'two', 'three'].map((name) => world.recipe(name)));
    const red = await world.recipe('red');
    for (const recipe of recipes) await recipe.release('1.0.0');
    await red.release('1.0.0', { check: 'false' });
    world.list([...recipes, red].map((recipe) => entryOf(recipe)));
    mkdirSync(world.ledger, { recursive: true });
    // Ten times at ten different moments of its life.
    for (let n = 0; n < 10; n++) await killed(1500 + n * 700);
    const last = await world.sweep();
    expect(Object.keys(answers(last.results))).toEqual(['one', 'red', 'three', 'two']);
    expect(last.results.map(({ recipe }) => recipe).sort()).toEqual(['one', 'red', 'three', 'two']);
    for (const recipe of recipes) {
      const commit = (await recipe.repository.git('rev-parse', '1.0.0')).trim();
      expect(JSON.parse(stateOf(recipe.name))).toEqual({
        version: '1.0.0',
        commit,
        sequence: 1,
        kind: 'image',
      });
    }
    expect(() => stateOf('red')).toThrow();
    const after = await world.sweep();
    for (const recipe of recipes) expect(answers(after.results)[recipe.name]).toBe('skipped no-new-version');
    await world.stop();
  });
});

describe('a recipe that vanishes half-way', () => {
  it('is an error, and the others have their results', { timeout: 300_000 }, async () => {
    world = await makeFleet(box);
    const stays = await world.recipe('stays');
    const goes = await world.recipe('goes');
    for (const recipe of [stays, goes]) await recipe.release('1.0.0');
    world.list([stays, goes].map((recipe) => entryOf(recipe)));
    await world.sweep('--ledger-init');
    for (const recipe of [stays, goes]) await recipe.release('1.1.0');
    rmSync(join(world.root, 'remotes', 'goes.git'), { recursive: true });
    const ended = await world.sweep();
    expect(answers(ended.results)).toEqual({ goes: 'error git-denied', stays: 'promoted promoted' });
    expect(ended.code).toBe(2);
    await world.stop();
  });
});

describe('one hostile recipe in a fleet of three', () => {
  it('gets neither the others’ records nor images nor a credential', { timeout: 400_000 }, async () => {
    world = await makeFleet(box);
    const [left, right] = [await world.recipe('left'), await world.recipe('right')];
    for (const recipe of [left, right]) await recipe.release('1.0.0');
    const hostile = await world.recipe('hostile', {
      files: {
        'knowngood.yml': `recipe: left\nimage: ${left.image}\ntest: { allow: [credentials], check: { host: "env > /tmp/stolen" } }\n`,
      },
    });
    await hostile.release('9.0.0');
    world.list([left, right, hostile].map((recipe) => entryOf(recipe)));
    const first = await world.sweep(
      '--ledger-init',
      '--registries',
      '{"r.example":{"username":"u","password":"canary-7261"}}',
    );
    expect(answers(first.results)).toEqual({
      hostile: 'error host-commands-refused',
      left: 'promoted promoted',
      right: 'promoted promoted',
    });
    expect(first.output).not.toContain('canary-7261');
    const before = [stateOf('left'), stateOf('right')];
    // Without the command on the host: another's name and image.
    await hostile.repository.commit('another way', {
      'knowngood.yml': `recipe: left\nimage: ${left.image}\ntest: { check: { exec: "env; cat /proc/*/environ" } }\n`,
    });
    await hostile.push('main');
    const second = await world.sweep();
    expect(answers(second.results).hostile).toBe('error recipe-owner-mismatch');
    // With an image of its own: its commands see nothing of ours.
    await hostile.repository.commit('a third way', {
      'knowngood.yml': `recipe: left\nimage: ${hostile.image}\ntest: { check: { exec: "! (env; cat /proc/*/environ) | grep -a canary-7261" } }\n`,
    });
    await hostile.repository.tag('9.1.0');
    // The release before was never published: without its tag this one is the first.
    await hostile.push('main', '9.1.0', ':refs/tags/9.0.0');
    const third = await world.sweep(
      '--registries',
      '{"r.example":{"username":"u","password":"canary-7261"}}',
    );
    expect(answers(third.results).hostile).toBe('promoted promoted');
    expect(third.output).not.toContain('canary-7261');
    expect([stateOf('left'), stateOf('right')]).toEqual(before);
    expect(JSON.parse(stateOf('hostile'))).toMatchObject({ version: '9.1.0' });
    await world.stop();
  });
});

describe('legs on other machines', () => {
  it('are planned, run alone and collected; none is believed for another recipe', {
    timeout: 400_000,
  }, async () => {
    world = await makeFleet(box);
    const names = ['alone', 'lost', 'liar', 'quiet'];
    const recipes = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await world.recipe(name)] as const)),
    );
    for (const name of ['alone', 'lost', 'liar']) await recipes[name]!.release('1.0.0');
    world.list(Object.values(recipes).map((recipe) => entryOf(recipe)));
    const plan = await world.run('sweep', '--fleet', 'fleet.yml', '--plan-only', '--ledger-init');
    const folder = join(world.root, 'fleet');
    const outputs = readFileSync(join(folder, 'knowngood-out', 'outputs.env'), 'utf8');
    const [matrix] = JSON.parse(/^KNOWNGOOD_SWEEP_MATRIX='(.*)'$/m.exec(outputs)![1]!) as {
      include: Record<string, string>[];
    }[];
    expect(plan.code).toBe(0);
    expect(matrix!.include.map(({ recipe }) => recipe)).toEqual(['alone', 'lost', 'liar']);
    const { commit } = matrix!.include[0]!;
    const leg = await world.run(
      'release',
      '--fleet',
      'fleet.yml',
      '--recipe',
      'alone',
      '--candidate',
      commit!,
    );
    expect(leg.output).toContain('knowngood: promote done promoted');
    const result = readFileSync(join(folder, 'knowngood-out', 'alone', 'result.json'), 'utf8');
    for (const name of ['alone', 'liar']) mkdirSync(join(folder, 'legs', `leg-${name}`), { recursive: true });
    writeFileSync(join(folder, 'legs', 'leg-alone', 'result.json'), result);
    writeFileSync(join(folder, 'legs', 'leg-liar', 'result.json'), result);
    const collected = await world.sweep('--collect', 'legs', '--board', 'site/board.html');
    expect(answers(collected.results)).toEqual({
      alone: 'promoted promoted',
      liar: 'error leg-untrusted',
      lost: 'error leg-missing',
      quiet: 'skipped never-released',
    });
    // It now names its own recipe, and promotes what the ledger does not have.
    writeFileSync(
      join(folder, 'legs', 'leg-liar', 'result.json'),
      result.replace('"recipe": "alone"', '"recipe": "liar"'),
    );
    const again = await world.sweep('--collect', 'legs');
    expect(answers(again.results).liar).toBe('error leg-untrusted');
    expect(readFileSync(join(folder, 'site', 'board.html'), 'utf8')).toContain('leg-missing');
    await world.stop();
  });
});
