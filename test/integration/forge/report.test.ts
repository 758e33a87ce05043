import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ForgeServer } from './forge-server.ts';
import { githubDouble, TOKEN } from './github-double.ts';
import { type RunOptions, type Scene, type StepRun, scene, withDossier, written } from './scene.ts';
import { mallory, robin, World } from './world.ts';

let play: Scene;
let world: World;
let forge: ForgeServer;

beforeAll(async () => {
  play = await scene();
});
afterAll(() => play.stop());

beforeEach(async () => {
  world = new World();
  // A job's token asks who it is by a request that Octokit spaces like a write: "who we are" has it, and the bundle.
  forge = await githubDouble(world, 'person');
  world.pull({ number: 12, head: play.head });
  world.status(play.head, 'pending');
});
afterEach(async () => {
  await forge.stop();
  expect(forge.deviations).toEqual([]);
});

let runs = 100;

interface Told extends RunOptions {
  readonly commit?: string;
  readonly jobResult?: string;
  /** Makes the dossier lie; `null`: there is none. */
  readonly dossier?: ((dossier: Record<string, unknown>) => void) | null;
  readonly recipe?: string;
}

/** The report job of a run whose test job left a dossier about the head. */
async function report(told: Told = {}): Promise<StepRun> {
  const runId = told.runId ?? ++runs;
  const workspace = told.workspace ?? play.workspace();
  if (told.dossier !== null && told.workspace === undefined) {
    withDossier(workspace, runId, play.head, told.dossier, told.recipe);
  }
  return play.run('report', forge, {
    ...told,
    runId,
    workspace,
    settings: {
      candidate: told.commit ?? play.head,
      'pull-request': '12',
      'job-result': told.jobResult ?? 'success',
      ...told.settings,
    },
  });
}

const comment = (): string => world.ours()[0]!.body;

describe('a result', () => {
  it('that is green becomes success and one comment', async () => {
    const run = await report();
    expect(run).toMatchObject({ outcome: 'done', reason: 'reported' });
    expect(run.outputs['comment-url']).toContain('#issuecomment-');
    expect(world.states(play.head)).toEqual(['pending', 'success']);
    expect(world.ours()).toHaveLength(1);
    expect(comment()).toContain(`✅ Green: \`${play.head}\``);
    expect(comment()).toContain('Version `1.1.0` of `hedgedoc`.');
    expect(comment()).toContain('Upgraded from `1.0.0` (`canonical`:');
    expect(comment()).toContain('| `install` | ✅ pass | 1.2 s |');
    expect(comment()).toContain('| `0.9.0` | `known-broken` |');
    expect(comment()).toMatch(/\[The run\]\(http:\S+\/actions\/runs\/\d+\)/);
  });

  it('is edited in place by the next run, whoever copied our marker', async () => {
    world.comment(12, mallory, '<!-- knowngood:report -->\n### ✅ Green: everything');
    await report();
    await report({
      dossier: (dossier) => Object.assign(dossier.test as object, { verdict: 'red' }),
      jobResult: 'failure',
    });
    expect(world.ours()).toHaveLength(1);
    expect(comment()).toContain('⛔ Red');
    expect(world.comments.find(({ user }) => user.id === mallory.id)?.body).toContain('✅ Green: everything');
    expect(world.states(play.head)).toEqual(['pending', 'success', 'failure']);
  });

  it('is found in the folder of a recipe that is named otherwise', async () => {
    await report({ recipe: 'pad' });
    expect(world.states(play.head).at(-1)).toBe('success');
  });

  it.each([
    ['failure', 'green'],
    ['cancelled', 'green'],
    ['skipped', 'green'],
    ['cancelled', 'red'],
    ['success', 'red'],
    ['success', 'inconclusive'],
  ])('of a job that ended with %s although the test says %s is no answer', async (jobResult, verdict) => {
    await report({
      jobResult,
      dossier: (dossier) => Object.assign(dossier.test as object, { verdict }),
    });
    expect(world.states(play.head)).toEqual(['pending', 'error']);
    expect(comment()).toContain('❌ No answer');
  });

  it.each(['failure', 'cancelled', 'skipped'])(
    'of a job that died (%s) is an error, never pending',
    async (jobResult) => {
      const run = await report({ jobResult, dossier: null });
      expect(run).toMatchObject({ outcome: 'done', reason: 'reported' });
      expect(world.states(play.head)).toEqual(['pending', 'error']);
      expect(comment()).toContain(`The job ended with \`${jobResult}\`.`);
    },
  );

  it('is marked stale where the head moved', async () => {
    world.pulls[0]!.head = play.newer;
    await report();
    expect(comment()).toContain(`**Stale**: the head is \`${play.newer}\` now`);
    expect(world.states(play.head).at(-1)).toBe('success');
    expect(world.states(play.newer)).toEqual([]);
  });

  it('of an older commit that comes late does not take the place of the head’s', async () => {
    world.pulls[0]!.head = play.newer;
    const runId = ++runs;
    const workspace = withDossier(play.workspace(), runId, play.newer);
    await report({ commit: play.newer, workspace, runId });
    await report();
    expect(world.ours()).toHaveLength(1);
    expect(comment()).toContain(`✅ Green: \`${play.newer}\``);
    expect(world.states(play.head).at(-1)).toBe('success');
  });

  it('of two runs that report at once is one comment', async () => {
    const letGo = forge.hold(/\/issues\/12\/comments\?/);
    const both = Promise.all([report(), report()]);
    setTimeout(letGo, 2500);
    await both;
    expect(world.ours()).toHaveLength(1);
  });

  it('is only shown in a dry run', async () => {
    const run = await report({ settings: { 'dry-run': 'true' } });
    expect(run.log).toContain('✅ Green');
    expect(world.ours()).toEqual([]);
    expect(world.states(play.head)).toEqual(['pending']);
  });
});

describe('a dossier that lies', () => {
  const other = '0123456789012345678901234567890123456789';

  it('about another commit is evidence-unbound', async () => {
    const runId = ++runs;
    const run = await report({ workspace: withDossier(play.workspace(), runId, other), runId });
    expect(run).toMatchObject({ outcome: 'error', reason: 'evidence-unbound' });
    expect(world.states(play.head)).toEqual(['pending', 'error']);
    expect(world.states(other)).toEqual([]);
    expect(comment()).toContain('(`evidence-unbound`)');
    expect(comment()).not.toContain('Green');
  });

  it.each<[string, (dossier: Record<string, unknown>) => void]>([
    ['tiers that are none', (d) => Object.assign(d.test as object, { tiers: null })],
    ['tiers of anything', (d) => Object.assign(d.test as object, { tiers: [null, 7, { name: { a: 1 } }] })],
    ['a test that is a text', (d) => Object.assign(d, { test: 'green' })],
    ['a base that is a list', (d) => Object.assign(d, { upgradeBase: [1, 2] })],
    ['reasons of a prototype', (d) => Object.assign(d.upgradeBase as object, { reasons: ['constructor'] })],
    ['a candidate of objects', (d) => Object.assign(d.candidate as object, { version: {}, recipe: [] })],
    ['a verdict of its own', (d) => Object.assign(d.test as object, { verdict: 'success' })],
    [
      'a million rows',
      (d) =>
        Object.assign(d.upgradeBase as object, {
          rejected: Array.from({ length: 50_000 }, () => ({ tag: 'x'.repeat(90), reason: 'y' })),
        }),
    ],
    ['texts without end', (d) => Object.assign(d.candidate as object, { version: 'v'.repeat(300_000) })],
  ])('with %s still ends in a status and a comment that fits', async (_, dossier) => {
    await report({ dossier });
    expect(['success', 'error']).toContain(world.states(play.head).at(-1));
    expect(world.ours()).toHaveLength(1);
    expect(comment().length).toBeLessThan(20_000);
  });

  const payload =
    'x` [a](https://evil.example) <img src=x> @everyone | ::error::\n# big\n<!-- knowngood:report --> ``y';
  it.each<[string, (dossier: Record<string, unknown>) => void]>([
    ['version', (d) => Object.assign(d.candidate as object, { version: payload })],
    ['recipe', (d) => Object.assign(d.candidate as object, { recipe: payload })],
    ['base', (d) => Object.assign((d.upgradeBase as { base: object }).base, { version: payload })],
    ['reason of the base', (d) => Object.assign(d.upgradeBase as object, { reasons: [payload] })],
    [
      'tier',
      (d) =>
        Object.assign(d.test as object, {
          tiers: [{ name: payload, verdict: payload, durationMs: payload, reason: payload }],
        }),
    ],
    ['reason of the test', (d) => Object.assign(d.test as object, { verdict: 'red', reasons: [payload] })],
    [
      'rejected tag',
      (d) => Object.assign(d.upgradeBase as object, { rejected: [{ tag: payload, reason: payload }] }),
    ],
  ])('is inert in every field: %s', async (_, dossier) => {
    const run = await report({ dossier, jobResult: 'failure' });
    const outside = outsideCode(comment());
    expect(outside).not.toMatch(/evil|<img|@everyone|::error|# big/);
    expect(outside.match(/knowngood:report/g)).toHaveLength(1);
    expect(run.log).not.toMatch(/^::error::/m);
  });

  it('about another run is no hand-off, and the status is final all the same', async () => {
    const run = await report({ workspace: withDossier(play.workspace(), 1, play.head), runId: ++runs });
    expect(run).toMatchObject({ outcome: 'error', reason: 'workspace-seeded' });
    expect(world.states(play.head)).toEqual(['pending', 'error']);
    expect(comment()).toContain('(`workspace-seeded`)');
  });

  it('through a link is not read', async () => {
    const workspace = play.workspace();
    symlinkSync(withDossier(play.workspace(), 1, play.head), join(workspace, 'knowngood-out'));
    const run = await report({ workspace, runId: 1 });
    expect(run.reason).toBe('workspace-seeded');
    expect(world.states(play.head)).toEqual(['pending', 'error']);
  });

  it('in no JSON is an error with a status', async () => {
    const runId = ++runs;
    const workspace = withDossier(play.workspace(), runId, play.head);
    writeFileSync(join(workspace, 'knowngood-out', 'hedgedoc', 'dossier.json'), '{');
    const run = await report({ workspace, runId });
    expect(run).toMatchObject({ outcome: 'error', reason: 'dossier-invalid' });
    expect(world.states(play.head)).toEqual(['pending', 'error']);
  });

  it('beside that of another recipe about the same commit has to be named', async () => {
    const runId = ++runs;
    const workspace = withDossier(play.workspace(), runId, play.head);
    withDossier(workspace, runId, play.head, undefined, 'other');
    expect((await report({ workspace, runId })).reason).toBe('evidence-unbound');
    expect((await report({ workspace, runId, settings: { recipe: 'other' } })).reason).toBe('reported');
    expect(world.states(play.head)).toEqual(['pending', 'error', 'success']);
  });

  it('never moves commit or pull request: those come from settings', async () => {
    world.pull({ number: 13, head: other });
    await report({
      dossier: (dossier) =>
        Object.assign(dossier, { pullRequest: 13, run: { ...(dossier.run as object), pullRequest: 13 } }),
    });
    expect(world.comments.filter(({ issue }) => issue === 13)).toEqual([]);
    expect(new Set(world.statuses.map(({ commit }) => commit))).toEqual(new Set([play.head]));
  });
});

describe('a forge that fails while the report is written', () => {
  it('keeps no pending: the status comes before all else', async () => {
    forge.fault({ path: /\/pulls\/12$/, status: 403, body: { message: 'no' }, times: 9 });
    const run = await report();
    expect(run).toMatchObject({ outcome: 'error', reason: 'forge-denied' });
    expect(world.states(play.head)).toEqual(['pending', 'success']);
  });

  it('is asked again after a 502', async () => {
    forge.fault({ path: /\/pulls\/12$/, status: 502, body: { message: 'bad gateway' } });
    expect((await report()).outcome).toBe('done');
  });
});

describe('who we are', () => {
  it.each([
    ['the job’s own account', { id: 41898282, login: 'github-actions[bot]', bot: true }, 'job'],
    ['the bot of somebody’s own app', { id: 5150, login: 'acme-ci[bot]', bot: true }, 'job'],
    ['a person', robin, 'person'],
  ] as const)('%s finds its own comment again', async (_, me, kind) => {
    await forge.stop();
    world = new World(me);
    world.pull({ number: 12, head: play.head });
    forge = await githubDouble(world, kind);
    await report();
    await report();
    expect(world.ours()).toHaveLength(1);
  });
});

it('asks for what it needs where nobody set it', async () => {
  const run = await play.run('report', forge);
  expect(run).toMatchObject({ outcome: 'error', reason: 'setting-missing' });
});

it('writes no secret anywhere, whatever the job has', async () => {
  const run = await report({
    settings: { 'job-result': `oops ${TOKEN}` },
    dossier: (dossier) => Object.assign(dossier.candidate as object, { version: TOKEN }),
  });
  expect(comment()).toContain('Version `***`');
  expect(run.log.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(TOKEN);
  expect(written(world)).not.toContain(TOKEN);
});

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly url?: string;
  readonly children?: readonly Node[];
}

/** What a reader sees of Markdown besides code spans: text, HTML, and where links and pictures go. */
function outsideCode(text: string): string {
  const seen = ({ type, value, url, children }: Node): string[] =>
    type === 'inlineCode' ? [] : [value ?? '', url ?? '', ...(children ?? []).flatMap(seen)];
  return seen(fromMarkdown(text) as Node).join('\n');
}
