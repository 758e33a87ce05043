import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { systemClock } from '../../../src/http/clock.ts';
import { fileStore } from '../../../src/ledger/file.ts';
import { ledgerOver } from '../../../src/ledger/records.ts';
import type { SweepResult } from '../../../src/rules/sweep/result.ts';
import { type Job, pluginJob, type StepEnd } from '../bundle/ci-job.ts';
import { DRONE_TOKEN, type DroneBuildState, type DroneDouble, droneDouble } from '../forge/drone-double.ts';
import { run as finishedRun } from '../ledger/records.ts';
import { type FleetRecipe, type FleetWorld, makeFleet } from './fleet.ts';

const SLUG = 'acme/hedgedoc';

let box: Sandbox;
let world: FleetWorld;
let drone: DroneDouble;
/** What runs a build, by recipe. */
let builds: Record<string, (build: DroneBuildState) => void>;
/** Builds under way at a time, at most. */
let most: number;

beforeAll(async () => {
  box = await sandbox();
});
afterAll(() => box.stop());

beforeEach(async () => {
  world = await makeFleet(box);
  builds = {};
  most = 0;
  drone = await droneDouble(SLUG, (build) => {
    builds[build.params.KNOWNGOOD_RECIPE!]!(build);
    most = Math.max(most, drone.builds.filter(goesOn).length);
  });
});
afterEach(async () => {
  expect(drone.deviations).toEqual([]);
  await Promise.all([drone.stop(), world.stop()]);
});

const goesOn = ({ status }: DroneBuildState): boolean => status === 'pending' || status === 'running';
const ends =
  (status: string, afterMs = 0) =>
  (build: DroneBuildState): void => {
    setTimeout(() => {
      build.status = status;
    }, afterMs);
  };

/** Acts when this build is asked for the next time. */
function whenAsked({ number }: DroneBuildState, act: () => void): void {
  const path = `GET /api/repos/${SLUG}/builds/${number}`;
  const before = drone.requests.length;
  const watch = setInterval(() => {
    if (!drone.requests.slice(before).includes(path)) return;
    clearInterval(watch);
    act();
  }, 20);
}

function job(event: string, change: Readonly<Record<string, string>> = {}): Job {
  return pluginJob(event, join(world.root, 'fleet'), box.env, change);
}

async function sweep(settings: Readonly<Record<string, string>> = {}) {
  const end: StepEnd = await job('drone-cron').step({
    step: 'sweep',
    fleet: 'fleet.yml',
    'ledger-init': 'true',
    'drone-server': drone.url,
    'drone-token': DRONE_TOKEN,
    ...settings,
  });
  return { ...end, results: world.results() };
}

function answers(results: readonly SweepResult[]): Record<string, string> {
  return Object.fromEntries(
    results.map(({ recipe, outcome, reasons }) => [recipe, `${outcome} ${reasons[0]}`]),
  );
}

async function fleetOf(...names: string[]): Promise<Record<string, FleetRecipe & { commit: string }>> {
  const made: Record<string, FleetRecipe & { commit: string }> = {};
  for (const name of names) {
    const recipe = await world.recipe(name);
    await recipe.release('1.0.0');
    made[name] = { ...recipe, commit: (await recipe.repository.git('rev-parse', '1.0.0')).trim() };
  }
  world.list(names.map((recipe) => ({ recipe, repository: `${world.server.url}/${recipe}.git` })));
  return made;
}

/** What a leg's test step leaves in the ledger. */
async function note(recipe: string, commit: string, verdict: 'green' | 'red'): Promise<void> {
  const ledger = ledgerOver(fileStore({ folder: world.ledger, waiting: systemClock }));
  const at = new Date().toISOString();
  const reasons = verdict === 'red' ? (['check-failed'] as const) : [];
  await ledger.appendRun({
    ...finishedRun(recipe, '1.0.0'),
    commit,
    verdict,
    reasons: [...reasons],
    startedAt: at,
    finishedAt: at,
  });
}

describe('a sweep that runs on Drone', () => {
  it('starts a bounded number of builds, and believes the ledger alone', { timeout: 180_000 }, async () => {
    const recipes = await fleetOf('real', 'red', 'green', 'fails', 'lies', 'vanishes', 'other', 'same');
    const { commit } = recipes.red!;
    builds = {
      // The leg itself, as the plugin is started in a custom build.
      real: (build) => {
        build.status = 'running';
        void job('drone-custom', { KNOWNGOOD_PULL_REQUEST: '', ...build.params })
          .step({ step: 'release', fleet: 'fleet.yml' })
          .then(({ code }) => ends(code === 0 ? 'success' : 'failure')(build));
      },
      red: (build) => void note('red', commit, 'red').then(() => ends('failure')(build)),
      green: (build) => void note('green', recipes.green!.commit, 'green').then(() => ends('success')(build)),
      fails: ends('error', 300),
      lies: ends('success', 300),
      vanishes: (build) => void setTimeout(() => drone.builds.splice(drone.builds.indexOf(build), 1), 300),
    };
    const custom = { event: 'custom', target: 'main' };
    const running = (number: number, recipe: string, candidate: string): DroneBuildState => ({
      ...custom,
      number,
      status: 'running',
      params: { KNOWNGOOD_RECIPE: recipe, KNOWNGOOD_CANDIDATE: candidate },
    });
    drone.builds.push(running(7, 'other', 'f'.repeat(40)), running(8, 'same', recipes.same!.commit));
    const same = drone.builds[1]!;
    whenAsked(same, () => void note('same', recipes.same!.commit, 'red').then(() => ends('failure')(same)));
    const end = await sweep({ concurrency: '3' });
    expect(answers(end.results)).toEqual({
      real: 'promoted promoted',
      red: 'red check-failed',
      green: 'gated undefined',
      fails: 'error leg-failed',
      lies: 'error leg-failed',
      vanishes: 'error leg-failed',
      other: 'deferred in-flight',
      same: 'red check-failed',
    });
    expect(end.results.map(({ recipe, message }) => [recipe, message ?? ''])).toEqual(
      expect.arrayContaining([
        ['fails', expect.stringMatching(/^Build \d+ ended as error without a finished test: http/)],
        ['vanishes', expect.stringMatching(/^Build \d+ is gone from Drone: http/)],
        ['other', expect.stringMatching(/^Build 7 runs another commit of it: http/)],
      ]),
    );
    expect(end.lastLine).toBe('knowngood: sweep error sweep-errors');
    // The two that were there already, and three of ours.
    expect(most).toBeGreaterThan(2);
    expect(most).toBeLessThanOrEqual(5);
    const started = drone.requests.filter((request) => request.startsWith('POST'));
    expect(
      started
        .map((request) => new URL(request.slice(5), drone.url).searchParams.get('KNOWNGOOD_RECIPE'))
        .sort(),
    ).toEqual(['fails', 'green', 'lies', 'real', 'red', 'vanishes']);
    expect(started[0]).toContain('branch=main');
    expect(end.output).not.toContain(DRONE_TOKEN);
  });

  it('waits no longer than its time budget; what goes on then is waited for by the next one', async () => {
    const { slow } = await fleetOf('slow', 'next');
    builds = { slow: () => {}, next: ends('success') };
    const end = await sweep({ 'time-budget': '12s' });
    expect(answers(end.results)).toEqual({ slow: 'deferred time-budget', next: 'deferred time-budget' });
    expect(end.results[0]?.message).toMatch(/^Build 41 goes on \(pending\): http/);
    expect(end.code).toBe(0);
    const [build] = drone.builds;
    whenAsked(build!, () => void note('slow', slow!.commit, 'red').then(() => ends('failure')(build!)));
    const second = await sweep();
    expect(drone.builds.map(({ params }) => params.KNOWNGOOD_RECIPE)).toEqual(['slow', 'next']);
    expect(answers(second.results)).toEqual({ slow: 'red check-failed', next: 'error leg-failed' });
  });

  it.each([401, 403, 404])('says for each recipe that Drone answers %i', async (status) => {
    await fleetOf('one');
    for (let n = 0; n < 9; n++) drone.fail(status);
    const end = await sweep();
    expect(answers(end.results).one).toMatch(/^error forge-(?:denied|failed)$/);
    expect(end.code).toBe(2);
  });
});
