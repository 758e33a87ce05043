import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectHost, type Environment } from '../../../src/hosts/detect.ts';
import { droneHost } from '../../../src/hosts/drone.ts';
import { githubHost } from '../../../src/hosts/github.ts';
import type { Host } from '../../../src/hosts/host.ts';
import { woodpeckerHost } from '../../../src/hosts/woodpecker.ts';
import { runContextOf } from '../../../src/rules/run-context.ts';
import { readSettings } from '../../../src/settings/read.ts';
import { createTools, type OwnedTools } from '../../../src/tools.ts';
import { composeFile, eventIn, fingerprint, makeWorld, type World } from './world.ts';

let world: World;
const opened: OwnedTools[] = [];
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(async () => {
  for (const tools of opened) await tools.close();
  await world.stop();
});

function hostIn(env: Environment): Host {
  const make = { github: githubHost, drone: droneHost, woodpecker: woodpeckerHost }[
    detectHost(env) as 'github' | 'drone' | 'woodpecker'
  ];
  return make(env, () => {});
}

/** The tools of a job of this event in this checkout, and the run context that the line would give it. */
function job(
  name: string,
  folder: string,
  at: { commit: string; tag?: string },
  given: Environment = {},
  where = world,
) {
  const env = {
    PATH: process.env.PATH,
    ...eventIn(where, name, at),
    GITHUB_WORKSPACE: folder,
    DRONE_WORKSPACE: folder,
    CI_WORKSPACE: folder,
    ...given,
  };
  const host = hostIn(env);
  const { settings } = readSettings(host.rawSettings, {
    settingName: host.settingName,
    commaSeparatedMaps: false,
  });
  const tools = createTools({
    host,
    settings,
    env,
    now: () => new Date(),
    signal: new AbortController().signal,
  });
  opened.push(tools);
  const context = async () =>
    runContextOf({
      asked: 'auto',
      event: host.event.kind,
      isRelease: (await tools.candidate()).tag !== undefined,
      candidateGiven: settings.candidate !== undefined || settings.pullRequest !== undefined,
    });
  return { tools, context };
}

const all = readdirSync(new URL('../../fixtures/events/', import.meta.url)).map((name) =>
  name.replace(/\.json$/, ''),
);
const released = '3.0.1+v2.0.0';

describe('the candidate, from every recorded event of every host', () => {
  it.each(all.filter((name) => name.endsWith('-tag') || name === 'github-release'))(
    '%s: the commit of the tag, annotated or not',
    async (name) => {
      for (const tag of [released, '3.0.0+v2.0.0']) {
        const commit = world.commits.tags[tag]!;
        const { tools, context } = job(name, world.checkout(commit), { commit, tag });
        expect(await tools.candidate()).toMatchObject({
          commit,
          checkout: commit,
          dirty: [],
          tag,
          version: tag,
          versionFrom: `tag ${tag}`,
          recipe: 'plausible',
        });
        expect(await context()).toBe('release');
      }
    },
  );

  it.each(all.filter((name) => /push$/.test(name)))('%s: the commit that was pushed', async (name) => {
    const commit = world.commits.tip;
    const { tools, context } = job(name, world.checkout(commit), { commit });
    const candidate = await tools.candidate();
    expect(candidate).toMatchObject({ commit, checkout: commit, dirty: [], version: released });
    // The label says it, the commit has no tag: that is not a release.
    expect(candidate.tag).toBeUndefined();
    expect(candidate.versionFrom).toBe(`compose.yml:8 says ${released}`);
    expect(await context()).toBe('change');
  });

  it.each(all.filter((name) => name.startsWith('github-pull-request')))(
    '%s: the head of the pull request, in the checkout of its merge',
    async (name) => {
      const { head, merge } = world.commits;
      const { tools, context } = job(name, world.checkout(merge), { commit: merge });
      const candidate = await tools.candidate();
      expect(candidate).toMatchObject({ commit: head, checkout: merge, dirty: [], version: released });
      expect(candidate.tree).toBe(world.author.git('rev-parse', `${merge}^{tree}`));
      expect(candidate.tag).toBeUndefined();
      expect(await context()).toBe('change');
    },
  );

  it.each(['drone-pull-request', 'woodpecker-pull-request'])('%s: the head, checked out', async (name) => {
    const { head } = world.commits;
    const { tools, context } = job(name, world.checkout(head), { commit: head });
    expect(await tools.candidate()).toMatchObject({ commit: head, checkout: head, version: released });
    expect(await context()).toBe('change');
  });

  it('drone-pull-request: the head, where Drone merged it into the branch', async () => {
    const { head, merge } = world.commits;
    const { tools } = job('drone-pull-request', world.checkout(merge), { commit: head });
    expect(await tools.candidate()).toMatchObject({ commit: head, checkout: merge });
  });

  it.each(all.filter((name) => /(dispatch|cron|schedule|manual|promote)$/.test(name)))(
    '%s: the checkout, a release where that is a release tag',
    async (name) => {
      const { tip, tags } = world.commits;
      const change = job(name, world.checkout(tip), { commit: tip, tag: 'main' });
      expect((await change.tools.candidate()).commit).toBe(tip);
      expect(await change.context()).toBe('change');
      const commit = tags[released]!;
      const release = job(name, world.checkout(commit), { commit, tag: released });
      expect(await release.tools.candidate()).toMatchObject({ commit, tag: released });
      expect(await release.context()).toBe('release');
    },
  );

  it.each(['github-comment', 'github-comment-on-issue'])(
    '%s: the checkout, never a release and never the pull request by itself',
    async (name) => {
      const commit = world.commits.tags[released]!;
      const { tools, context } = job(name, world.checkout(commit), { commit });
      expect((await tools.candidate()).commit).toBe(commit);
      expect(await context()).toBe('change');
    },
  );

  it.each([
    ['github-comment', { INPUT_CANDIDATE: 'head', 'INPUT_PULL-REQUEST': '12' }],
    ['github-dispatch', { INPUT_CANDIDATE: 'head', 'INPUT_PULL-REQUEST': '12' }],
    // A custom build of Drone names it in its parameters.
    ['drone-custom', {}],
    ['woodpecker-manual', { PLUGIN_CANDIDATE: 'head', PLUGIN_PULL_REQUEST: '12' }],
  ])('%s with `candidate`: its commit, laid out as data beside the checkout', async (name, given) => {
    const { tip, head } = world.commits;
    const folder = world.checkout(tip);
    const before = fingerprint(folder);
    const env = Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key, value === 'head' ? head : value]),
    );
    const { tools, context } = job(name, folder, { commit: tip }, env);
    expect(await tools.candidate()).toMatchObject({ commit: head, checkout: head, dirty: [] });
    expect(await context()).toBe('change');
    const tree = await tools.tree();
    expect(tree.startsWith(folder)).toBe(false);
    expect(readFileSync(join(tree, 'compose.yml'), 'utf8')).toBe(composeFile(released, 'changed'));
    expect(existsSync(join(tree, '.git'))).toBe(false);
    expect(fingerprint(folder)).toBe(before);
  });

  it('covers every recorded event', () => {
    const covered =
      /(-tag|-release|push|pull-request.*|dispatch|cron|schedule|manual|promote|custom|comment.*)$/;
    expect(all.filter((name) => !covered.test(name))).toEqual([]);
    expect(all.length).toBeGreaterThan(20);
  });
});

describe('a checkout of one commit without tags', () => {
  it('gives right answers, and is not touched', async () => {
    const commit = world.commits.tip;
    const folder = world.checkout(commit);
    const before = fingerprint(folder);
    const { tools } = job('github-push', folder, { commit });
    await tools.candidate();
    const { tags } = await tools.upgradeFacts();
    expect(Object.fromEntries(tags.map(({ name, reachable }) => [name, reachable]))).toEqual({
      '1.13.4_1': true,
      '2.0.0+v1.5.1': true,
      '2.1.0+v1.5.1': true,
      '3.0.0+v2.0.0': true,
      [released]: true,
      '4.0.0+v3.0.0': false,
    });
    for (const { name, commit: at, tree } of tags) {
      expect(at, name).toBe(world.author.git('rev-parse', `${name}^{commit}`));
      expect(tree, name).toBe(world.author.git('rev-parse', `${name}^{tree}`));
    }
    expect(fingerprint(folder)).toBe(before);
  });

  it('does not make a rebased tag of the checkout one of the repository', async () => {
    // Somebody's job made a tag in its own checkout: releases are the remote's.
    const commit = world.commits.tip;
    const folder = world.checkout(commit);
    writeFileSync(join(folder, '.git', 'refs', 'tags', '9.0.0'), `${commit}\n`);
    const { tools } = job('github-dispatch', folder, { commit, tag: 'main' });
    expect((await tools.candidate()).tag).toBeUndefined();
  });
});

describe("configuration is the release branch's, whatever is checked out", () => {
  it('in a pull request that changes it', async () => {
    const { author } = world;
    author.git('checkout', '-q', '-B', 'judge', world.commits.tip);
    const head = author.commit({
      'knowngood.yml': 'recipe: plausible\nknown-broken: [2.1.0+v1.5.1]\nenrolled: false\n',
    });
    author.git('checkout', '-q', 'main');
    author.git('push', '-q', 'origin', `${head}:refs/pull/13/head`);
    const { tools } = job('drone-pull-request', world.checkout(head), { commit: head });
    // The recorded event names pull request 12; what is checked out here is 13's head.
    expect((await tools.recipeFile()).value).toMatchObject({ enrolled: true, 'known-broken': [] });
  });

  it('on a tag that is older than what was learnt since', async () => {
    const { author } = world;
    const later = author.commit({
      'knowngood.yml': 'recipe: plausible\nknown-broken: [{ version: 3.0.0+v2.0.0, reason: gone }]\n',
    });
    author.git('push', '-q', 'origin', 'main');
    const commit = world.commits.tags[released]!;
    const { tools } = job('woodpecker-tag', world.checkout(commit), { commit, tag: released });
    expect((await tools.recipeFile()).value['known-broken']).toEqual([
      { version: '3.0.0+v2.0.0', reason: 'gone' },
    ]);
    expect((await tools.releaseBranch()).tip).toBe(later);
  });
});

describe('the version of the candidate', () => {
  async function versionOf(files: Record<string, string>, config: string, given: Environment = {}) {
    const own = await makeWorld(config);
    try {
      const { author } = own;
      const commit = author.commit(files);
      author.git('push', '-q', 'origin', 'main');
      const { tools } = job('github-push', own.checkout(commit), { commit }, given, own);
      return { facts: await tools.upgradeFacts(), candidate: await tools.candidate() };
    } finally {
      await own.stop();
    }
  }

  it('is the setting before everything else', async () => {
    const { candidate } = await versionOf({}, 'recipe: plausible\n', { INPUT_VERSION: '7.0.0' });
    expect(candidate).toMatchObject({ version: '7.0.0', versionFrom: 'setting version' });
  });

  it('is a key of a file, by its place', async () => {
    const { candidate } = await versionOf(
      { 'package.json': '{ "version": "5.1.0" }\n' },
      'recipe: plausible\nversion: { from: { file: { path: package.json, key: version } } }\n',
    );
    expect(candidate).toMatchObject({ version: '5.1.0', versionFrom: 'package.json says 5.1.0' });
  });

  it('is none on an untagged commit where it comes from tags', async () => {
    const { facts, candidate } = await versionOf({}, 'recipe: plausible\nversion: { from: tag }\n');
    expect(facts.version).toEqual({ state: 'untagged' });
    expect(candidate.version).toBeUndefined();
  });

  it('is ambiguous where two labels differ, and says where', async () => {
    const two = composeFile('3.1.0').replace(
      '        - "coop-cloud.${STACK_NAME}.version=3.1.0"',
      '        - "coop-cloud.${STACK_NAME}.version=3.1.0"\n        - coop-cloud.${STACK_NAME}.version=3.2.0',
    );
    const { facts } = await versionOf({ 'compose.yml': two }, 'recipe: plausible\n');
    expect(facts.version).toEqual({
      state: 'ambiguous',
      places: ['compose.yml:8 says 3.1.0', 'compose.yml:9 says 3.2.0'],
    });
  });

  it('is missing where the named place has none, and says where it looked', async () => {
    const { facts } = await versionOf(
      { 'package.json': '{}\n' },
      'recipe: plausible\nversion: { from: { file: { path: package.json, key: version } } }\n',
    );
    expect(facts.version).toEqual({ state: 'missing', places: ['package.json'] });
  });
});
