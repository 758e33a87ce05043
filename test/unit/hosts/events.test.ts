import { describe, expect, it } from 'vitest';
import { detectHost } from '../../../src/hosts/detect.ts';
import { droneHost } from '../../../src/hosts/drone.ts';
import { githubHost } from '../../../src/hosts/github.ts';
import type { Event } from '../../../src/hosts/host.ts';
import { woodpeckerHost } from '../../../src/hosts/woodpecker.ts';
import { recorded, recordedEvents } from './recorded.ts';

const BUILT = '1f0e2d3c4b5a69788796a5b4c3d2e1f001234567';
const HEAD = '89abcdef0123456789abcdef0123456789abcdef';

function eventOf(name: string): Event {
  const env = recorded(name);
  const make = { github: githubHost, drone: droneHost, woodpecker: woodpeckerHost };
  const host = detectHost(env);
  if (host === 'terminal') throw new Error('a recorded event is of a CI');
  return make[host](env, () => undefined).event;
}

/** One row an event: what a run makes of it. */
const rows: Record<string, Partial<Event>> = {
  'github-tag': { kind: 'tag', tag: '1.2.3', ref: 'refs/tags/1.2.3', checkout: BUILT },
  'github-release': { kind: 'tag', tag: '1.2.3' },
  'github-push': { kind: 'push', branch: 'main', ref: 'refs/heads/main' },
  'github-schedule': { kind: 'cron', branch: 'main' },
  'github-dispatch': { kind: 'dispatch', tag: '1.2.3' },
  'github-pull-request': {
    kind: 'pull-request',
    pullRequest: { number: 12, head: HEAD, base: 'main', fork: false },
  },
  'github-pull-request-fork': {
    kind: 'pull-request',
    pullRequest: { number: 12, head: HEAD, base: 'main', fork: true },
  },
  'github-pull-request-fork-gone': {
    kind: 'pull-request',
    pullRequest: { number: 12, head: HEAD, base: 'main', fork: true },
  },
  'github-comment': { kind: 'comment', pullRequest: { number: 12, fork: true } },
  'github-comment-on-issue': { kind: 'comment' },
  'forgejo-push': { kind: 'push', branch: 'main' },
  'drone-tag': { kind: 'tag', tag: '1.2.3', checkout: BUILT },
  'drone-push': { kind: 'push', branch: 'main' },
  'drone-pull-request': {
    kind: 'pull-request',
    pullRequest: { number: 12, head: HEAD, base: 'main', fork: true },
  },
  'drone-cron': { kind: 'cron', branch: 'main' },
  'drone-promote': { kind: 'promote', tag: '1.2.3' },
  'drone-custom': { kind: 'dispatch', branch: 'main' },
  'woodpecker-tag': { kind: 'tag', tag: '1.2.3' },
  'woodpecker-push': { kind: 'push', branch: 'main' },
  'woodpecker-pull-request': {
    kind: 'pull-request',
    pullRequest: { number: 12, head: HEAD, base: 'main', fork: true },
  },
  'woodpecker-cron': { kind: 'cron', branch: 'main' },
  'woodpecker-manual': { kind: 'dispatch', branch: 'main' },
};

describe('events of each host', () => {
  it('are all in the table', () => {
    expect(Object.keys(rows).sort()).toEqual(recordedEvents.toSorted());
  });

  it.each(Object.entries(rows))('%s', (name, expected) => {
    const event = eventOf(name);
    const seen = Object.fromEntries(Object.keys(expected).map((key) => [key, event[key as keyof Event]]));
    expect(seen).toEqual(expected);
    if (expected.pullRequest === undefined) expect(event.pullRequest).toBeUndefined();
    expect(event.repository.defaultBranch).toBe('main');
    expect(event.repository.cloneUrl).toMatch(/^https:\/\/.*hedgedoc\.git$/i);
  });

  it('tells runs and attempts apart', () => {
    expect(eventOf('github-tag').run).toMatchObject({
      id: 'github-9000000001-2',
      attempt: 2,
      url: 'https://github.com/Acme/HedgeDoc/actions/runs/9000000001',
    });
    expect(eventOf('drone-tag').run.id).toBe('drone-drone.example.org-acme/hedgedoc-41');
    expect(eventOf('woodpecker-tag').run.id).toBe('woodpecker-ci.example.org-acme/hedgedoc-41');
  });

  it('links to the page that the forge has for a run', () => {
    expect(eventOf('github-push').run.url).toMatch(/\/actions\/runs\/9000000001$/);
    expect(eventOf('forgejo-push').run.url).toBe('https://git.example.org/Acme/HedgeDoc/actions/runs/7');
  });

  it('believes no commit that is not one', () => {
    const event = githubHost(
      recorded('github-push', { GITHUB_SHA: '--upload-pack=evil' }),
      () => undefined,
    ).event;
    expect(event.checkout).toBeUndefined();
  });

  it('gives the job token to GHCR only where the forge is github.com', () => {
    const token = { INPUT_STEP: 'label', 'INPUT_FORGE-TOKEN': 'tok-secret' };
    expect(githubHost(recorded('github-push', token), () => undefined).jobToken).toEqual({
      username: 'robin',
      token: 'tok-secret',
      registry: 'ghcr.io',
    });
    expect(githubHost(recorded('forgejo-push', token), () => undefined).jobToken).toBeUndefined();
  });

  it.each([
    ['github-push', '', 'of-job'],
    ['github-push', 'https://github.com', 'of-job'],
    ['github-push', 'https://api.github.com/', 'of-job'],
    ['github-push', 'https://git.example.org', undefined],
    ['github-push', 'https://github.com.example.org', undefined],
    ['github-push', 'not a URL', undefined],
    ['forgejo-push', '', 'of-job'],
    ['forgejo-push', 'https://github.com', undefined],
  ])('on %s with the forge %j the default of `forge-token` is %s', (event, forge, token) => {
    const env = { 'INPUT_JOB-TOKEN': 'of-job', 'INPUT_FORGE-TOKEN': '', 'INPUT_FORGE-URL': forge };
    const { rawSettings } = githubHost(recorded(event, env), () => undefined);
    expect(rawSettings.get('forge-token')?.value || undefined).toBe(token);
    expect(rawSettings.has('job-token')).toBe(false);
    const own = githubHost(recorded(event, { ...env, 'INPUT_FORGE-TOKEN': 'own' }), () => undefined);
    expect(own.rawSettings.get('forge-token')?.value).toBe('own');
  });

  it('is at home where the forge lives in a folder of its server', () => {
    const at = { GITHUB_SERVER_URL: 'https://git.example.org/forge', 'INPUT_JOB-TOKEN': 'of-job' };
    const env = { ...at, 'INPUT_FORGE-URL': 'https://git.example.org/forge' };
    const { rawSettings } = githubHost(recorded('forgejo-push', env), () => undefined);
    expect(rawSettings.get('forge-token')?.value).toBe('of-job');
  });

  it.each([
    ['https://api.github.com', 'tok-secret'],
    ['https://github.com', 'tok-secret'],
    ['https://git.example.org', 'job-token'],
    ['https://github.com.example.org', 'job-token'],
    ['http://github.com', 'job-token'],
  ])('takes the token of %s for the job’s own only where it is', (forge, token) => {
    const env = { 'INPUT_FORGE-TOKEN': 'tok-secret', 'INPUT_FORGE-URL': forge, GITHUB_TOKEN: 'job-token' };
    expect(githubHost(recorded('github-push', env), () => undefined).jobToken?.token).toBe(token);
  });
});

describe('detectHost', () => {
  it.each([
    [{ GITHUB_ACTIONS: 'true', CI: 'true', DRONE: 'true' }, 'github'],
    [{ CI: 'woodpecker', DRONE_REPO: 'a/b' }, 'woodpecker'],
    [{ CI: 'true', DRONE: 'true', CI_REPO_NAME: 'a/b' }, 'drone'],
    [{ CI: 'true', CI_PIPELINE_EVENT: 'push' }, 'terminal'],
    [{}, 'terminal'],
  ] as const)('%j → %s', (env, host) => {
    expect(detectHost(env)).toBe(host);
  });
});

it('an address of the server that ends in a slash gives no address with two', () => {
  const env = { ...recorded('github-tag'), GITHUB_SERVER_URL: 'https://gitea.example.org/' };
  const { repository } = githubHost(env, () => undefined).event;
  expect(repository.webUrl).toMatch(/^https:\/\/gitea\.example\.org\/[^/]+\/[^/]+$/);
  expect(repository.cloneUrl).toBe(`${repository.webUrl}.git`);
});
