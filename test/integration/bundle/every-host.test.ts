import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNotesProject, type NotesProject, runBundle } from '../../../demo/workspace.ts';
import { type GitServer, gitServer } from '../../../sandbox/git-server.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { githubJob, type Job, pluginJob, readOutputsEnv } from './ci-job.ts';

let box: Sandbox;
let project: NotesProject;
let server: GitServer;
let image: string;
beforeAll(async () => {
  box = await sandbox();
  const root = mkdtempSync(join(tmpdir(), 'knowngood-hosts-'));
  image = `${box.registry.host}/hosts${process.pid}/notes`;
  project = await makeNotesProject(root, { base: await box.base('busybox'), image, upTo: '1.0.0' });
  server = await gitServer(join(root, 'remote'));
});
afterAll(() => server.stop());

const tag = '1.0.0';

/** A job of this host on the release tag, in a checkout of its own; `more` are variables of the job. */
async function jobOn(host: string, more: Readonly<Record<string, string>> = {}): Promise<Job> {
  const workspace = await project.checkout(`refs/tags/${tag}`);
  const commit = await project.repository.git('rev-parse', `${tag}^{commit}`);
  const remote = `${server.url}/notes.git`;
  const ref = `refs/tags/${tag}`;
  switch (host) {
    case 'GitHub':
      return githubJob('github-tag', workspace, box.env, {
        env: {
          GITHUB_REF: ref,
          GITHUB_REF_NAME: tag,
          GITHUB_SHA: commit,
          GITHUB_SERVER_URL: server.url,
          GITHUB_REPOSITORY: 'notes',
          ...more,
        },
      });
    case 'Drone':
      return pluginJob('drone-tag', workspace, box.env, {
        DRONE_TAG: tag,
        DRONE_COMMIT_SHA: commit,
        DRONE_COMMIT_REF: ref,
        DRONE_REMOTE_URL: remote,
        ...more,
      });
    case 'Woodpecker':
      return pluginJob('woodpecker-tag', workspace, box.env, {
        CI_COMMIT_TAG: tag,
        CI_COMMIT_SHA: commit,
        CI_COMMIT_REF: ref,
        CI_REPO_CLONE_URL: remote,
        ...more,
      });
    default:
      return {
        workspace,
        async step({ step = '', ...settings }) {
          const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
          const end = await runBundle([step, ...flags, '--repository', remote], {
            cwd: workspace,
            env: { ...box.env, ...more },
          });
          const lastLine = end.output.trimEnd().split('\n').at(-1) ?? '';
          return { ...end, outputs: readOutputsEnv(workspace), summary: '', lastLine };
        },
      };
  }
}

const hosts = ['GitHub', 'Drone', 'Woodpecker', 'a terminal'];

describe.each(hosts)('on %s', (host) => {
  it('a step hands on its outputs, and one that cannot begin what there is to know of it', async () => {
    const job = await jobOn(host);
    const first = await job.step({ step: 'label', image });
    expect(first).toMatchObject({ code: 0, lastLine: 'knowngood: label done labelled' });
    expect(readOutputsEnv(job.workspace)).toMatchObject({
      KNOWNGOOD_OUTCOME: 'done',
      KNOWNGOOD_REASON: 'labelled',
      KNOWNGOOD_REASONS: '["labelled"]',
      KNOWNGOOD_DOSSIER: 'knowngood-out/notes/dossier.json',
      KNOWNGOOD_VERSION: tag,
      KNOWNGOOD_LABEL_VERSION: tag,
      KNOWNGOOD_LABEL_RECIPE_DIGEST: expect.stringMatching(/^v1:sha256:[0-9a-f]{64}$/),
    });

    // The build's settings are wrong: nothing runs, and what `label` said of itself stays.
    const second = await job.step({ step: 'build-push', image, push: 'sometimes' });
    expect(second).toMatchObject({ code: 2, lastLine: 'knowngood: build-push error setting-invalid' });
    expect(readOutputsEnv(job.workspace)).toMatchObject({
      KNOWNGOOD_OUTCOME: 'error',
      KNOWNGOOD_REASON: 'setting-invalid',
      KNOWNGOOD_BUILD_PUSH_OUTCOME: 'error',
      KNOWNGOOD_LABEL_OUTCOME: 'done',
    });
    if (host === 'GitHub') {
      expect(second.outputs).toMatchObject({ outcome: 'error', reason: 'setting-invalid' });
      expect(second.summary).toContain('setting-invalid');
    }
  });

  it.skipIf(host === 'a terminal')('a script may type what is no setting of the job', async () => {
    const job = await jobOn(host, { KNOWNGOOD_REGISTRY_PASSWORD: 'pass-of-the-script' });
    const args = ['label', '--image', image, '--version=1.0.0', '--verbose'];
    const end = await job.step({ version: '9.9.9' }, { args });
    expect(end, end.output).toMatchObject({ code: 0, lastLine: 'knowngood: label done labelled' });
    expect(readOutputsEnv(job.workspace)).toMatchObject({ KNOWNGOOD_VERSION: tag });
    // GitHub's runner takes the line that masks it out of the log.
    expect(end.output.replace(/^::add-mask::.*$/m, '')).not.toContain('pass-of-the-script');
  });

  it('a step whose predecessor did not run names it', async () => {
    const job = await jobOn(host);
    const end = await job.step({ step: 'build-push', image });
    expect(end).toMatchObject({ code: 2, lastLine: 'knowngood: build-push error dossier-incomplete' });
    expect(end.output).toContain('Run the step `label` first');
  });
});

it('a line that is only planned comes to its end, and leaves nothing behind', async () => {
  const job = await jobOn('GitHub');
  const ledger = join(mkdtempSync(join(tmpdir(), 'knowngood-planned-')), 'ledger');
  const end = await job.step({ step: 'release', image, 'dry-run': 'true', ledger: `file:${ledger}` });
  expect([...end.output.matchAll(/^knowngood: (.*)$/gm)].map(([, text]) => text)).toEqual([
    'label done labelled',
    'build-push done built',
    'attest skipped dry-run',
    'step-back done first-release',
    'test skipped dry-run',
    'promote skipped dry-run',
  ]);
  expect(end.code).toBe(0);
  const { host, pathname } = new URL(`http://${image}`);
  expect((await fetch(`http://${host}/v2${pathname}/tags/list`)).status).toBe(404);
  expect(existsSync(ledger)).toBe(false);
});

describe('a secret', () => {
  const secrets = ['first-build-secret', 'second-build-secret'];

  it.each(['Drone', 'Woodpecker'])('of a list that %s joined is shown nowhere', async (host) => {
    const job = await jobOn(host, {
      // As both hand `secrets: [a=…, b=…]` over.
      PLUGIN_SECRETS: secrets.map((secret, at) => `id${at}=${secret}`).join(','),
      PLUGIN_LABELS: JSON.stringify({ 'org.example.leak': secrets.join(' and ') }),
      DRONE_CARD_PATH: '/dev/stdout',
    });
    const end = await job.step({ step: 'label', image, verbose: 'true', platforms: secrets[1]! });
    for (const secret of secrets) {
      expect(end.output).not.toContain(secret);
      expect(end.output).not.toContain(Buffer.from(secret).toString('base64').slice(0, -3));
    }
    expect(end.output).toContain('***');
  });
});

it('the card of Drone stands before the last line, and is there once', async () => {
  const job = await jobOn('Drone', { DRONE_CARD_PATH: '/dev/stdout' });
  const end = await job.step({ step: 'label, step-back', image });
  expect(end.lastLine).toBe('knowngood: step-back done first-release');
  const cards = [...end.output.matchAll(/\u001b\]1338;([A-Za-z0-9+/=]+)\u001b\]0m/g)];
  expect(cards).toHaveLength(1);
  const card = JSON.parse(Buffer.from(cards[0]![1]!, 'base64').toString('utf8'));
  expect(card.data).toMatchObject({ title: 'knowngood step-back', outcome: 'done', reason: 'first-release' });
  expect(readFileSync(join(job.workspace, 'knowngood-out', 'outputs.env'), 'utf8')).not.toContain('\u001b');
});
