import { rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command } from '../../../sandbox/command.ts';
import { type GitServer, gitEnv, gitServer, type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { type FleetRecipe, type FleetWorld, makeFleet } from './fleet.ts';

/** Text that must not be found anywhere but at the one origin it is for. */
const secrets = {
  forge: 'canary-forge-4711',
  mirror: 'canary-mirror-4712',
  ledger: 'canary-ledger-4713',
  registry: 'canary-registry-4714',
};
const account = (password: string) => ({ username: 'x-access-token', password });

let box: Sandbox;
let world: FleetWorld;
/** Where the forge's and the mirrors' token are for. */
let home: GitServer;
/** Where the ledger is. */
let ledger: GitServer;
/** Asks everybody for a login. */
let greedy: GitServer;
let greedyRegistry: { host: string; asked: IncomingHttpHeaders[]; stop(): void };
let upstream: FleetRecipe;
let first: Awaited<ReturnType<FleetWorld['sweep']>>;

const bare = async (name: string, ...args: string[]): Promise<string> =>
  command(['git', '--git-dir', join(world.root, 'remotes', name), ...args], { env: gitEnv() });
const refs = async (name: string): Promise<readonly string[]> =>
  (await bare(name, 'for-each-ref', '--format=%(refname) %(objectname)')).split('\n').filter(Boolean);

function shownTo({ requests }: GitServer): readonly string[] {
  const shown = requests.flatMap(({ authorization }) => authorization ?? []);
  return [
    ...new Set(shown.map((text) => Buffer.from(text.replace(/^\w+ /, ''), 'base64').toString())),
  ].sort();
}

const sweep = (...args: string[]): Promise<typeof first> =>
  world.sweep(
    ...['--ledger', `git:${ledger.url}/ledger.git#main`, '--ledger-token', secrets.ledger],
    ...['--forge-url', home.url, '--forge-token', secrets.forge, '--mirror-token', secrets.mirror],
    ...['--registry-username', 'robin', '--registry-password', secrets.registry, '--board', 'board.html'],
    ...args,
  );
const resultOf = (name: string) => world.results().find(({ recipe }) => recipe === name)!;

beforeAll(async () => {
  // Of its own: a sweep waits while another run is in flight on its engine.
  box = await sandbox({ engine: 'own' });
  world = await makeFleet(box);
  const remotes = join(world.root, 'remotes');
  const accounts = [account(secrets.forge), account(secrets.mirror)];
  home = await gitServer(remotes, { accounts, openToRead: true, config: { 'http.receivepack': 'true' } });
  ledger = await gitServer(remotes, {
    accounts: [account(secrets.ledger)],
    config: { 'http.receivepack': 'true' },
  });
  greedy = await gitServer(remotes, { accounts: [account('whatever')] });
  greedyRegistry = await registryThatAsks();
  upstream = await world.recipe('upstream');
  await upstream.release('1.0.0');
  await bare('ledger.git', 'init', '-q', '--bare', join(remotes, 'ledger.git'));
  // The mirror is empty at first, with refs of its own.
  await bare('mirror.git', 'init', '-q', '--bare', '-b', 'main', join(remotes, 'mirror.git'));
  await upstream.repository.git(
    'push',
    '-q',
    join(remotes, 'mirror.git'),
    'main:ours',
    'main:refs/pull/7/head',
  );
  const guest = await world.recipe('guest', {
    files: {
      'knowngood.yml': `image: ${greedyRegistry.host}/guest\ntest: { check: { exec: "true" } }\n`,
      Dockerfile: `FROM ${greedyRegistry.host}/base:1\n`,
    },
  });
  await guest.release('1.0.0');
  world.list([
    {
      recipe: 'mirrored',
      repository: `${home.url}/mirror.git`,
      'mirror-of': `${world.server.url}/upstream.git`,
      image: upstream.image,
    },
    { recipe: 'stranger', repository: `${greedy.url}/upstream.git` },
    { recipe: 'guest', repository: `${world.server.url}/guest.git` },
  ]);
  first = await sweep('--ledger-init');
}, 300_000);
afterAll(async () => {
  greedyRegistry.stop();
  await Promise.all([home, ledger, greedy, world].map((one) => one.stop()));
  await box.stop();
});

/** A registry that wants to know everybody's password. */
async function registryThatAsks(): Promise<typeof greedyRegistry> {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer(({ headers }, answer) => {
    asked.push(headers);
    answer.writeHead(401, { 'www-authenticate': 'Basic realm="tell me"' }).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe('a fleet with recipes and mirrors on other origins', () => {
  it('runs what it can, and says what it cannot', () => {
    expect(first.results.map(({ recipe, outcome, mirror }) => [recipe, outcome, mirror]).sort()).toEqual([
      ['guest', 'error', null],
      ['mirrored', 'promoted', 'fresh'],
      ['stranger', 'error', null],
    ]);
    expect(resultOf('stranger').reasons).toEqual(['git-denied']);
    expect(resultOf('guest').reasons).toEqual(['registry-denied']);
  });

  it('shows each token to its own origin alone', () => {
    const { forge, mirror, ledger: ledgerToken } = secrets;
    expect(shownTo(home)).toEqual([`x-access-token:${forge}`, `x-access-token:${mirror}`]);
    expect(shownTo(ledger)).toEqual([`x-access-token:${ledgerToken}`]);
    // The upstream and the guest's repository, and one that asks for a login.
    expect(world.server.requests.length).toBeGreaterThan(2);
    expect(shownTo(world.server)).toEqual([]);
    expect(greedy.requests.length).toBeGreaterThan(0);
    expect(shownTo(greedy)).toEqual([]);
  });

  it('writes to mirrors with their own token, and nothing else with it', () => {
    const withMirrorToken = home.requests.filter(({ authorization }) =>
      Buffer.from(authorization?.slice('Basic '.length) ?? '', 'base64').includes(secrets.mirror),
    );
    expect(withMirrorToken.map(({ service }) => service)).toContain('git-receive-pack');
    const pushes = home.requests.filter(({ service }) => service === 'git-receive-pack');
    expect(pushes.filter(({ authorization, status }) => status === 200 && authorization)).toEqual(
      withMirrorToken.filter(({ service }) => service === 'git-receive-pack'),
    );
  });

  it('shows the password to no registry that a recipe names', () => {
    expect(greedyRegistry.asked.length).toBeGreaterThan(0);
    expect(greedyRegistry.asked.flatMap(({ authorization }) => authorization ?? [])).toEqual([]);
  });

  it('tells no secret in log, results and board', () => {
    const told = [first.output, JSON.stringify(first.results), world.read('board.html')].join('\n');
    for (const secret of Object.values(secrets)) {
      expect(told).not.toContain(secret);
      expect(told).not.toContain(Buffer.from(`x-access-token:${secret}`).toString('base64'));
    }
  });
});

describe('the mirrors of a sweep', { timeout: 120_000 }, () => {
  it('are equal to upstream in main and tags, and in nothing else', async () => {
    await upstream.repository.git('checkout', '-q', '-B', 'main', 'HEAD~1');
    await upstream.release('another beginning', { tag: false });
    await upstream.repository.git('tag', '-f', '1.0.0');
    await upstream.repository.git('branch', 'topic');
    await upstream.push('main', '1.0.0', 'topic', 'main:refs/pull/1/head');
    const before = await refs('upstream.git');
    const kept = (await refs('mirror.git')).filter((ref) => /ours|pull/.test(ref));
    const end = await sweep();
    expect(resultOf('mirrored')).toMatchObject({ outcome: 'skipped', reasons: ['canonical-tag-moved'] });
    expect(end.output).toContain('mirrored: upstream moved its tag 1.0.0.');
    expect(kept).toHaveLength(2);
    expect(await refs('mirror.git')).toEqual(
      [...kept, ...before.filter((ref) => /^refs\/(?:heads\/main|tags\/)/.test(ref))].sort(),
    );
    expect(await refs('upstream.git')).toEqual(before);
  });

  it('that cannot be brought up to date are stale, which is not "no new version"', async () => {
    rmSync(join(world.root, 'remotes', 'upstream.git'), { recursive: true });
    const end = await sweep();
    expect(resultOf('mirrored')).toMatchObject({
      outcome: 'error',
      reasons: ['mirror-stale', expect.stringMatching(/^git-/)],
      mirror: 'stale',
      old: '1.0.0',
    });
    expect(end.code).toBe(2);
    expect(world.read('board.html')).toContain('mirror-stale');
  });
});
