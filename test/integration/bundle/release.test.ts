import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeNotesProject, type NotesProject, runBundle } from '../../../demo/workspace.ts';
import { gitServer } from '../../../sandbox/git-server.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { githubJob, type Job, pluginJob, readOutputsEnv } from './ci-job.ts';

let box: Sandbox;
let base: string;

beforeAll(async () => {
  box = await sandbox();
  base = await box.base('busybox');
});

let projects = 0;

/** A project of its own for each test, with its own image, remote and ledger. */
async function project(): Promise<
  NotesProject & { image: string; url: string; ledger: string; stop: () => Promise<void> }
> {
  const root = mkdtempSync(join(tmpdir(), 'knowngood-bundle-'));
  const image = `${box.registry.host}/bundle${process.pid}/notes${++projects}`;
  const made = await makeNotesProject(root, { base, image, upTo: '1.0.0' });
  const server = await gitServer(join(root, 'remote'));
  return {
    ...made,
    image,
    url: `${server.url}/notes.git`,
    ledger: join(root, 'ledger'),
    stop: () => server.stop(),
  };
}

/** What another tool reads back from the registry. */
async function digestBy(tool: string, reference: string): Promise<string> {
  const program = await box.tool('crane');
  return execFileSync(program, ['digest', '--insecure', reference], {
    env: { ...box.env, NAME: tool },
    encoding: 'utf8',
  }).trim();
}

type Hosts = Record<string, (workspace: string, tag: string, url: string, commit: string) => Job>;

const hosts: Hosts = {
  GitHub: (workspace, tag, url, commit) =>
    githubJob('github-tag', workspace, box.env, {
      env: {
        GITHUB_REF: `refs/tags/${tag}`,
        GITHUB_REF_NAME: tag,
        GITHUB_SHA: commit,
        GITHUB_SERVER_URL: url.replace(/\/notes\.git$/, ''),
        GITHUB_REPOSITORY: 'notes',
      },
    }),
  Drone: (workspace, tag, url, commit) =>
    pluginJob('drone-tag', workspace, box.env, {
      DRONE_TAG: tag,
      DRONE_COMMIT_SHA: commit,
      DRONE_COMMIT_REF: `refs/tags/${tag}`,
      DRONE_REMOTE_URL: url,
    }),
  Woodpecker: (workspace, tag, url, commit) =>
    pluginJob('woodpecker-tag', workspace, box.env, {
      CI_COMMIT_TAG: tag,
      CI_COMMIT_SHA: commit,
      CI_COMMIT_REF: `refs/tags/${tag}`,
      CI_REPO_CLONE_URL: url,
    }),
};

async function jobAt(
  host: keyof Hosts,
  made: Awaited<ReturnType<typeof project>>,
  tag: string,
): Promise<Job> {
  const workspace = await made.checkout(`refs/tags/${tag}`);
  const commit = await made.repository.git('rev-parse', `${tag}^{commit}`);
  return hosts[host]!(workspace, tag, made.url, commit);
}

describe.each(Object.keys(hosts))('the main job on %s', (host) => {
  it('goes through five steps, and through one, to tags and a record', async () => {
    const made = await project();
    const settings = { ledger: `file:${made.ledger}`, recipe: 'notes' };

    const first = await jobAt(host, made, '1.0.0');
    const released = await first.step({ ...settings, step: 'release', 'ledger-init': 'true' });
    expect(released.output).toContain('knowngood: promote done promoted');
    expect(released.code).toBe(0);

    await made.release('1.1.0');
    const second = await jobAt(host, made, '1.1.0');
    const seen: Record<string, string> = {};
    for (const step of ['label', 'build-push', 'step-back', 'test', 'promote']) {
      const end = await second.step({ ...settings, step });
      expect(end.output, end.output).toContain(`knowngood: ${step} done`);
      expect(end.lastLine).toMatch(new RegExp(`^knowngood: ${step} done [a-z-]+$`));
      expect(end.code).toBe(0);
      Object.assign(seen, readOutputsEnv(second.workspace));
      if (host === 'GitHub') {
        expect(end.outputs.outcome).toBe('done');
        expect(end.summary).toContain(step);
      }
    }
    expect(seen).toMatchObject({
      KNOWNGOOD_LABEL_VERSION: '1.1.0',
      KNOWNGOOD_STEP_BACK_UPGRADE_BASE_VERSION: '1.0.0',
      KNOWNGOOD_STEP_BACK_REASON: 'canonical',
      KNOWNGOOD_TEST_VERDICT: 'green',
      KNOWNGOOD_PROMOTE_PROMOTED: 'true',
      KNOWNGOOD_PROMOTE_CANONICAL_VERSION: '1.1.0',
    });

    // The registry holds the tags at the digest that was tested, as somebody else's tool reads it.
    const tested = seen.KNOWNGOOD_BUILD_PUSH_DIGEST;
    for (const tag of ['1.1.0', '1.1', '1', 'latest'])
      expect(await digestBy('crane', `${made.image}:${tag}`)).toBe(tested);
    expect(await digestBy('crane', `${made.image}:1.0.0`)).not.toBe(tested);

    const record = readFileSync(join(made.ledger, 'notes', 'canonical.json'), 'utf8');
    expect(JSON.parse(record)).toMatchObject({ version: '1.1.0', sequence: 2, subject: { digest: tested } });

    // Again: skipped, and not a byte of the record changes.
    const again = await (await jobAt(host, made, '1.1.0')).step({ ...settings, step: 'release' });
    expect(again.output).toMatch(/knowngood: [a-z-]+ skipped (already-canonical|no-new-version)/);
    expect(again.code).toBe(0);
    expect(readFileSync(join(made.ledger, 'notes', 'canonical.json'), 'utf8')).toBe(record);
    await made.stop();
  });
});

describe('the main job in a terminal', () => {
  it('releases the tag that is checked out', async () => {
    const made = await project();
    const cwd = await made.checkout('refs/tags/1.0.0');
    const args = ['release', '--repository', made.remote, '--ledger', `file:${made.ledger}`, '--ledger-init'];
    const { code, output } = await runBundle(args, { cwd, env: { ...box.env } });
    expect(output).toContain('knowngood: promote done promoted');
    expect(code).toBe(0);

    // A tag of git with a `v` is that version, and its image has none.
    await made.repository.commit('notes 1.0.1', { 'service/version': '1.0.1\n' });
    await made.repository.tag('v1.0.1');
    await made.push('main', 'v1.0.1');
    const next = await runBundle(args, { cwd: await made.checkout('refs/tags/v1.0.1'), env: { ...box.env } });
    expect(next.output).toContain('v1.0.1 is upgraded from 1.0.0 (canonical)');
    expect(next.output).toContain('knowngood: promote done promoted');
    expect(await digestBy('crane', `${made.image}:1.0.1`)).toBe(
      await digestBy('crane', `${made.image}:latest`),
    );
    await made.stop();
  });
});
