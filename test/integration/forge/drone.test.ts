import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DRONE_TOKEN, type DroneDouble, droneDouble } from './drone-double.ts';
import type { ForgeServer } from './forge-server.ts';
import { githubDouble } from './github-double.ts';
import { type RunOptions, type Scene, type StepRun, scene, written } from './scene.ts';
import { NAME, OWNER, type Pull, robin, World } from './world.ts';

let play: Scene;
let world: World;
let forge: ForgeServer;
let drone: DroneDouble;
let pull: Pull;

beforeAll(async () => {
  play = await scene();
});
afterAll(() => play.stop());

beforeEach(async () => {
  world = new World();
  forge = await githubDouble(world, 'person');
  drone = await droneDouble(`${OWNER}/${NAME}`);
  pull = world.pull({ number: 12, head: play.head });
});
afterEach(async () => {
  await Promise.all([forge.stop(), drone.stop()]);
  expect(forge.deviations).toEqual([]);
  expect(drone.deviations).toEqual([]);
});

function say(body: string, settings: RunOptions['settings'] = {}): Promise<StepRun> {
  const comment = world.comment(12, robin, body);
  return play.run('testme', forge, {
    comment,
    settings: { mode: 'drone', 'drone-server': drone.url, 'drone-token': DRONE_TOKEN, ...settings },
  });
}

describe('mode: drone', () => {
  it('starts a build of the release branch with the commit as a parameter, never with commit=', async () => {
    pull.files = ['.drone.yml', '.github/workflows/testme.yml'];
    pull.headRepository = 5000;
    const run = await say(`!testme ${play.head} tier=install only-one=x`, {
      'allow-arguments': 'tier, only-one',
    });
    expect(run.outputs).toMatchObject({ accepted: 'true', sha: play.head, trusted: 'false' });
    const [start] = drone.requests;
    const { pathname, searchParams } = new URL(start!.replace(/^POST /, ''), 'http://drone');
    expect(start).toMatch(/^POST /);
    expect(pathname).toBe(`/api/repos/${OWNER}/${NAME}/builds`);
    expect(Object.fromEntries(searchParams)).toEqual({
      branch: 'main',
      KNOWNGOOD_CANDIDATE: play.head,
      KNOWNGOOD_PULL_REQUEST: '12',
      KNOWNGOOD_ARG_TIER: 'install',
      KNOWNGOOD_ARG_ONLY_ONE: 'x',
    });
    expect(world.statuses.map(({ state, targetUrl }) => [state, targetUrl])).toEqual([
      ['pending', expect.stringContaining('/actions/runs/')],
      ['pending', `${drone.url}/${OWNER}/${NAME}/41`],
    ]);
  });

  it('takes the release branch of the setting', async () => {
    await say('!testme', { 'release-branch': 'stable' });
    expect(drone.builds[0]!.target).toBe('stable');
  });

  it('takes the release branch that the configuration names', async () => {
    const { git, commit } = play.repository;
    const remote = join(play.root, 'remote', OWNER, `${NAME}.git`);
    const before = await git('rev-parse', 'main');
    await commit('releases are cut from stable', { 'knowngood.yml': 'releases: { branch: stable }\n' });
    await git('push', '-q', remote, 'main', 'main:stable');
    try {
      await say('!testme');
      expect(drone.builds[0]!.target).toBe('stable');
    } finally {
      await git('push', '-q', '--force', remote, `${before}:main`);
      await git('push', '-q', remote, ':stable');
      await git('reset', '-q', '--hard', before);
    }
  });

  it('lets no argument name the build’s own parameters', async () => {
    // Only what `allow-arguments` names, always behind our own prefix.
    const run = await say('!testme commit=abc', { 'allow-arguments': 'commit, branch' });
    expect(run.reason).toBe('admitted');
    expect(drone.builds[0]!.params).toMatchObject({ KNOWNGOOD_ARG_COMMIT: 'abc' });
    expect(drone.requests[0]).not.toMatch(/[?&]commit=/);
  });

  it.each([401, 403, 404, 500])('leaves no pending where the server answers %i', async (status) => {
    for (let n = 0; n < 9; n++) drone.fail(status);
    const run = await say('!testme');
    expect(run.outcome).toBe('error');
    expect(world.states(play.head)).toEqual(['pending', 'error']);
    expect(world.statuses.at(-1)!.description).toMatch(/^Not started: forge-/);
  });

  it('refuses to start what runs already, and links to it', async () => {
    await say('!testme');
    const again = await say('!testme');
    expect(again.reason).toBe('busy');
    expect(drone.builds).toHaveLength(1);
  });

  it.each(['killed', 'error', 'success'])(
    'starts again where the build ended without a word (%s)',
    async (end) => {
      await say('!testme');
      drone.builds[0]!.status = end;
      expect((await say('!testme')).reason).toBe('admitted');
      expect(drone.builds).toHaveLength(2);
    },
  );

  it('stops the build of an older commit, and says so on that commit', async () => {
    await say('!testme');
    drone.builds.push({
      number: 7,
      status: 'running',
      event: 'custom',
      target: 'main',
      params: { KNOWNGOOD_CANDIDATE: play.head, KNOWNGOOD_PULL_REQUEST: '13' },
    });
    pull.head = play.newer;
    expect((await say('!testme')).reason).toBe('admitted');
    expect(drone.builds.map(({ number, status }) => [number, status])).toEqual([
      [41, 'killed'],
      [7, 'running'],
      [43, 'pending'],
    ]);
    expect(world.states(play.head)).toEqual(['pending', 'pending', 'error']);
    expect(world.statuses.find(({ state }) => state === 'error')!.description).toContain('Superseded');
  });

  it('goes on where it may not stop', async () => {
    await say('!testme');
    pull.head = play.newer;
    const watch = setInterval(() => {
      // The list comes after the start: only the stopping fails.
      if (drone.builds.length === 2) {
        clearInterval(watch);
        drone.fail(403);
      }
    }, 1);
    const run = await say('!testme');
    clearInterval(watch);
    expect(run.reason).toBe('admitted');
    expect(run.log).toContain('could not be stopped');
  });

  it('shows the token to Drone alone', async () => {
    const run = await say('!testme');
    expect(run.log.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(DRONE_TOKEN);
    expect(JSON.stringify(forge.requests)).not.toContain(DRONE_TOKEN);
    expect(written(world)).not.toContain(DRONE_TOKEN);
    expect(drone.requests.join()).not.toContain(DRONE_TOKEN);
  });
});
