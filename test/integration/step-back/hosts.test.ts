import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runBundle } from '../../../demo/workspace.ts';
import { githubJob, type Job, pluginJob, readOutputsEnv, type StepEnd } from '../bundle/ci-job.ts';
import { eventIn, fingerprint, makeWorld, type World } from './world.ts';

const released = '3.0.1+v2.0.0';
const broken = '3.0.0+v2.0.0';
const good = '2.1.0+v1.5.1';

let world: World;
const worlds: World[] = [];
async function newWorld(knowngood?: string): Promise<World> {
  world = await makeWorld(knowngood);
  worlds.push(world);
  return world;
}
beforeAll(async () => {
  await newWorld();
  await world.promote(released);
});
afterAll(async () => {
  for (const one of worlds) await one.stop();
});

const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent' };
type At = { readonly commit: string; readonly tag?: string };

/** A terminal: no event, the checkout's own origin, the ledger by a flag. */
function terminalJob(workspace: string): Job {
  return {
    workspace,
    step: async (settings) => {
      const { step, ...flags } = { ledger: `git:${world.url}#knowngood`, ...settings } as Record<
        string,
        string
      >;
      const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
      const end = await runBundle([step!, ...args], { cwd: workspace, env });
      const outputs = readOutputsEnv(workspace);
      return { ...end, outputs, summary: '', lastLine: end.output.trimEnd().split('\n').at(-1) ?? '' };
    },
  };
}

/** A job of each host, for the same thing that happened. */
const jobs: Record<string, (what: 'push' | 'tag' | 'pull-request', workspace: string, at: At) => Job> = {
  GitHub: (what, workspace, at) => {
    const name = `github-${what}`;
    return githubJob(name, workspace, env, { env: eventIn(world, name, at) });
  },
  Drone: (what, workspace, at) =>
    pluginJob(`drone-${what}`, workspace, env, {
      ...eventIn(world, `drone-${what}`, at),
      DRONE_WORKSPACE: workspace,
    }),
  Woodpecker: (what, workspace, at) =>
    pluginJob(`woodpecker-${what}`, workspace, env, {
      ...eventIn(world, `woodpecker-${what}`, at),
      CI_WORKSPACE: workspace,
    }),
  terminal: (_, workspace) => terminalJob(workspace),
};

/** An output, as a later step of this host gets it. */
function output(host: string, end: StepEnd, name: string): string | undefined {
  if (host === 'GitHub') return end.outputs[name];
  return end.outputs[`KNOWNGOOD_${name.toUpperCase().replaceAll('-', '_')}`];
}

describe.each(Object.keys(jobs))('step-back from the bundle, on %s', (host) => {
  const ran = async (
    what: 'push' | 'tag' | 'pull-request',
    commit: string,
    settings: Record<string, string> = {},
    tag?: string,
  ) => {
    const workspace = world.checkout(commit);
    const before = fingerprint(workspace);
    const at = { commit, ...(tag === undefined ? {} : { tag }) };
    const end = await jobs[host]!(what, workspace, at).step({ step: 'step-back', ...settings });
    const get = (name: string) => output(host, end, name);
    expect(fingerprint(workspace), end.output).toBe(before);
    return { ...end, get, workspace };
  };

  it('steps back where an untagged commit carries the version of the canonical', async () => {
    const { code, get, lastLine, workspace, output: log } = await ran('push', world.commits.tip);
    expect([code, lastLine], log).toEqual([0, 'knowngood: step-back done samever-step-back']);
    expect(get('outcome')).toBe('done');
    expect(get('decision')).toBe('run');
    expect(get('upgrade-base-version')).toBe(broken);
    expect(get('upgrade-base-tag')).toBe(broken);
    expect(get('upgrade-base-commit')).toBe(world.commits.tags[broken]);
    // A compose recipe has no image of its own, and nothing is pinned.
    expect([get('upgrade-base-ref'), get('without-pin')]).toEqual([undefined, undefined]);
    expect(JSON.parse(get('notes')!)).toEqual([]);
    expect(JSON.parse(get('rejected')!)).toEqual([
      { tag: released, reason: 'tag-not-older' },
      { tag: '4.0.0+v3.0.0', reason: 'tag-unreachable' },
      { tag: '1.13.4_1', reason: 'tag-unparseable' },
    ]);
    // outputs.env is safe to source, and says the same on every host.
    const sourced = execFileSync(
      '/bin/sh',
      ['-c', '. ./knowngood-out/outputs.env; printf %s "$KNOWNGOOD_STEP_BACK_UPGRADE_BASE_TAG"'],
      { cwd: workspace, encoding: 'utf8' },
    );
    expect(sourced).toBe(broken);
    expect(log).toContain(`${released} is upgraded from ${broken} (samever-step-back).`);
  });

  it('skips a release that is canonical already', async () => {
    const { code, get, lastLine } = await ran('tag', world.commits.tags[released]!, {}, released);
    expect([code, lastLine]).toEqual([0, 'knowngood: step-back skipped no-new-version']);
    expect([get('outcome'), get('decision'), get('upgrade-base-tag')]).toEqual([
      'skipped',
      'skip',
      undefined,
    ]);
  });

  it('answers for a pull request, in the checkout that this host makes of it', async () => {
    const { head, merge } = world.commits;
    const { code, get, output: log } = await ran('pull-request', host === 'GitHub' ? merge : head);
    expect(code, log).toBe(0);
    expect([get('reason'), get('upgrade-base-tag')]).toEqual(['samever-step-back', broken]);
  });

  it('takes settings before the file, and tells what the answer is without the pin', async () => {
    const { get } = await ran('push', world.commits.tip, {
      'upgrade-base': good,
      'known-broken': broken,
    });
    expect([get('reason'), get('upgrade-base-tag')]).toEqual(['pin', good]);
    expect(JSON.parse(get('without-pin')!)).toEqual({
      decision: 'run',
      reason: 'samever-step-back',
      base: { version: good, tag: good, commit: world.commits.tags[good] },
    });
    expect(JSON.parse(get('notes')!)).toEqual(['crosses-major', 'pin-redundant']);
  });

  it('is an error where the pin is no release, with the code as reason', async () => {
    const { code, get, lastLine } = await ran('push', world.commits.tip, { 'upgrade-base': '3.0.0' });
    expect([code, lastLine]).toEqual([2, 'knowngood: step-back error pin-not-a-release']);
    expect([get('outcome'), get('decision')]).toEqual(['error', undefined]);
  });
});

describe('the summary on GitHub', () => {
  it('is one line, then the table of what was considered and rejected', async () => {
    const { tip, tags } = world.commits;
    const { summary } = await jobs.GitHub!('push', world.checkout(tip), { commit: tip }).step({
      step: 'step-back',
    });
    expect(summary).toBe(
      [
        '### ✅ step-back: done `samever-step-back`',
        '',
        `\`${released}\` is upgraded from **\`${broken}\`** (\`samever-step-back\`): The candidate carries the version of the canonical; the base is the release before.`,
        '',
        '| tag | as upgrade base | why |',
        '| --- | --- | --- |',
        `| \`${broken}\` | ✅ base | \`${tags[broken]}\` |`,
        `| \`${good}\` | usable | \`${tags[good]}\` |`,
        `| \`2.0.0+v1.5.1\` | usable | \`${tags['2.0.0+v1.5.1']}\` |`,
        `| \`${released}\` | \`tag-not-older\` | The release is not older than the candidate. |`,
        '| `4.0.0+v3.0.0` | `tag-unreachable` | The tag is not reachable from the release branch. |',
        '| `1.13.4_1` | `tag-unparseable` | The tag is not a version. |',
        '',
        '',
        '',
      ].join('\n'),
    );
  });
});

describe('plausible: 3.0.1 is canonical, and 3.0.0 does not start on amd64', () => {
  const entry =
    'recipe: plausible\nknown-broken:\n  - { version: 3.0.0+v2.0.0, reason: entrypoint is gone }\n';

  it.each(Object.keys(jobs))('steps back over it to the newest older good release, on %s', async (host) => {
    const own = await newWorld(entry);
    await own.promote(released);
    const workspace = own.checkout(own.commits.tip);
    const job = jobs[host]!('push', workspace, { commit: own.commits.tip });
    const end = await job.step({ step: 'step-back' });
    expect([end.code, output(host, end, 'reason'), output(host, end, 'upgrade-base-tag')]).toEqual([
      0,
      'samever-step-back',
      good,
    ]);
    expect(JSON.parse(output(host, end, 'rejected')!)).toContainEqual({
      tag: broken,
      reason: 'tag-known-broken',
    });
    expect(end.output).toContain('entrypoint is gone');
  });

  it.each([
    ['with the entry', entry, good],
    ['without', undefined, broken],
  ])('on its first promotion likewise, %s', async (_, knowngood, base) => {
    const own = await newWorld(knowngood);
    const commit = own.commits.tags[released]!;
    const job = jobs.Drone!('tag', own.checkout(commit), { commit, tag: released });
    const end = await job.step({ step: 'step-back' });
    expect(end.outputs.KNOWNGOOD_REASON).toBe('previous-release');
    expect(end.outputs.KNOWNGOOD_UPGRADE_BASE_TAG).toBe(base);
    // A ledger that is not there yet is said, and is no reason to stop.
    expect(end.output).toContain('ledger-missing');
  });

  it('counts what was learnt after the tag, and not what the pull request says of itself', async () => {
    const own = await newWorld();
    await own.promote(released);
    own.author.git('checkout', '-q', '-B', 'fix', own.commits.tip);
    const head = own.author.commit({ 'knowngood.yml': entry });
    own.author.git('push', '-q', 'origin', `+${head}:refs/pull/12/head`);
    const asked = async () => {
      const workspace = own.checkout(head);
      const event = eventIn({ ...own, commits: { ...own.commits, head } }, 'drone-pull-request', {
        commit: head,
      });
      return pluginJob('drone-pull-request', workspace, env, {
        ...event,
        DRONE_WORKSPACE: workspace,
      }).step({ step: 'step-back' });
    };
    const before = await asked();
    expect(before.outputs.KNOWNGOOD_UPGRADE_BASE_TAG).toBe(broken);
    expect(before.output).toContain('counts-after-merge');
    own.author.git('push', '-q', 'origin', `${head}:refs/heads/main`);
    const after = await asked();
    expect(after.outputs.KNOWNGOOD_UPGRADE_BASE_TAG).toBe(good);
    expect(after.output).not.toContain('counts-after-merge');
  });
});

describe('what is not known is not absent', () => {
  const atTip = async (settings: Record<string, string> = {}) => {
    const { tip } = world.commits;
    const job = jobs.Woodpecker!('push', world.checkout(tip), { commit: tip });
    return job.step({ step: 'step-back', ...settings });
  };

  it('a repository that does not answer is an error, and gives no base', async () => {
    await newWorld();
    world.server.fault({ how: { status: 503 }, times: 100 });
    const end = await atTip();
    expect([end.code, end.outputs.KNOWNGOOD_REASON]).toEqual([2, 'tags-unavailable']);
    expect(end.output).not.toContain('is upgraded from');
  });

  it('a ledger that does not answer is an error, never "no canonical"', async () => {
    const own = await newWorld();
    await own.promote(released);
    const end = await atTip({ ledger: 'git:http://127.0.0.1:1/ledger.git#knowngood' });
    expect([end.code, end.outputs.KNOWNGOOD_OUTCOME]).toEqual([2, 'error']);
    expect(end.outputs.KNOWNGOOD_REASON).toMatch(/^(git|ledger)-/);
  });

  it('a damaged record is an error', async () => {
    const own = await newWorld();
    await own.promote(released);
    const { author } = own;
    author.git('fetch', '-q', author.git('remote', 'get-url', 'origin'), 'knowngood');
    author.git('checkout', '-q', '--detach', 'FETCH_HEAD');
    const path = author.git('ls-files', '*canonical.json').split('\n')[0]!;
    writeFileSync(join(author.folder, path), '{}\n');
    author.commit({}, 'damage');
    author.git('push', '-q', 'origin', 'HEAD:refs/heads/knowngood');
    const end = await atTip();
    expect([end.code, end.outputs.KNOWNGOOD_REASON]).toEqual([2, 'record-corrupt']);
  });
});
