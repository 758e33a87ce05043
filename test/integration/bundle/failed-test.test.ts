import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNotesProject, type NotesProject, runBundle } from '../../../demo/workspace.ts';
import { type GitServer, gitServer } from '../../../sandbox/git-server.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { githubJob, type Job, pluginJob, readOutputsEnv, type StepEnd } from './ci-job.ts';

let box: Sandbox;
let project: NotesProject;
let server: GitServer;
let ledger: string;
beforeAll(async () => {
  box = await sandbox();
  const root = mkdtempSync(join(tmpdir(), 'knowngood-failed-'));
  const image = `${box.registry.host}/failed${process.pid}/notes`;
  project = await makeNotesProject(root, { base: await box.base('busybox'), image, upTo: '1.0.0' });
  server = await gitServer(join(root, 'remote'));
  ledger = join(root, 'ledger');
  const first = await jobAt('terminal', '1.0.0');
  const end = await first.step({ ...common(), step: 'release', 'ledger-init': 'true' });
  expect(end.output).toContain('knowngood: promote done promoted');
});
afterAll(() => server.stop());

const common = () => ({ ledger: `file:${ledger}`, recipe: 'notes' });

async function jobAt(host: string, tag: string): Promise<Job> {
  const workspace = await project.checkout(`refs/tags/${tag}`);
  const commit = await project.repository.git('rev-parse', `${tag}^{commit}`);
  const url = `${server.url}/notes.git`;
  return host === 'GitHub'
    ? githubJob('github-tag', workspace, box.env, {
        env: {
          GITHUB_REF: `refs/tags/${tag}`,
          GITHUB_REF_NAME: tag,
          GITHUB_SHA: commit,
          GITHUB_SERVER_URL: server.url,
          GITHUB_REPOSITORY: 'notes',
        },
      })
    : pluginJob('drone-tag', workspace, box.env, {
        DRONE_TAG: tag,
        DRONE_COMMIT_SHA: commit,
        DRONE_COMMIT_REF: `refs/tags/${tag}`,
        DRONE_REMOTE_URL: url,
      });
}

/** Commits and tags the next release with one file of it changed. */
async function release(version: string, path: string, change: (text: string) => string): Promise<void> {
  const file = join(project.repository.path, path);
  await project.repository.commit(`notes ${version}`, { [path]: change(readFileSync(file, 'utf8')) });
  await project.repository.tag(version);
  await project.push('main', version);
}

async function test(
  host: string,
  version: string,
  more: Readonly<Record<string, string>> = {},
): Promise<StepEnd & { job: Job }> {
  const job = await jobAt(host, version);
  const end = await job.step({ ...common(), step: 'label, build-push, step-back, test', ...more });
  return { ...end, job };
}

describe.each(['GitHub', 'Drone'])('what a person sees on %s', (host) => {
  const minor = host === 'GitHub' ? 1 : 3;

  it('where the candidate crashes on the data of the release before', async () => {
    const version = `1.${minor}.0`;
    const crash =
      'grep -q before-the-upgrade /data/journal 2>/dev/null && { echo "no column <b>author</b>" >&2; exit 7; }';
    await release(version, 'service/start', (text) => text.replace('set -eu\n', `set -eu\n${crash}\n`));
    const { output, summary, code, lastLine, job } = await test(host, version);

    expect(code).toBe(1);
    expect(lastLine).toBe('knowngood: test refused crashed');
    // A line for each phase with its time, in order.
    expect(phasesIn(output)).toEqual([
      `ok install: start ${version}`,
      `ok install: ready ${version}`,
      'ok install: check',
      'ok upgrade: start 1.0.0',
      'ok upgrade: ready 1.0.0',
      'ok upgrade: before-upgrade',
      'ok upgrade: stop 1.0.0',
      `ok upgrade: start ${version}`,
      `FAIL upgrade: ready ${version}: \`app\` ended with exit code 7.`,
    ]);
    // The right container's last lines, then a line for each tier.
    expect(output).toMatch(
      /Last line of app \(candidate, upgrade\):\n(?:::stop-commands::.*\n)? {2}\| no column <b>author<\/b>\n/,
    );
    expect(output).toMatch(/^install {2}pass +[\d.]+ s$/m);
    expect(output).toMatch(/^upgrade {2}fail +[\d.]+ s {2}crashed: `app` ended with exit code 7\.$/m);
    expect(output).toContain('Logs: knowngood-out/notes/logs\n');
    const log = join(job.workspace, 'knowngood-out/notes/logs/upgrade-candidate-app.stderr.log');
    expect(readFileSync(log, 'utf8')).toBe('no column <b>author</b>\n');
    const outputs = readOutputsEnv(job.workspace);
    expect(outputs.KNOWNGOOD_TEST_VERDICT).toBe('red');
    expect(JSON.parse(outputs.KNOWNGOOD_TEST_TIERS ?? '')).toEqual({ install: 'pass', upgrade: 'fail' });
    if (host === 'GitHub') {
      expect(summary).toMatch(/\| `install` \| ✅ pass \| [\d.]+ s \| {2}\|/);
      expect(summary).toMatch(/\| `upgrade` \| ⛔ fail \| [\d.]+ s \| `crashed` /);
      expect(summary).toContain('```text\nno column <b>author</b>\n```');
      expect(summary).toContain('To run it again: `git checkout ');
    }

    // The command that is shown brings a person to the same end, by hand, in a clone.
    const [, commit = '', line = ''] =
      /^To run it again: git checkout ([0-9a-f]{40}) && knowngood (.*)$/m.exec(output) ?? [];
    const clone = await project.checkout(`refs/tags/${version}`);
    const again = await runBundle(line.split(' '), {
      cwd: clone,
      env: { ...box.env, HOME: clone },
    });
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    expect(again.output).toContain(`FAIL`);
    expect(again.output).toContain('knowngood: test refused crashed');
    // It was told to keep what failed; the next run of anybody takes it away.
    expect(again.output).toMatch(/Kept for looking at, until the next run: everything named kg-[a-z0-9]+-/);
  });

  it('where a check fails: its words, not the container’s', async () => {
    const version = `1.${minor + 1}.0`;
    await release(version, 'service/start', (text) => text.replace(/^grep -q before-the.*\n/m, ''));
    await release(
      `1.${minor + 1}.1`,
      'service/doctor',
      () => '#!/bin/sh\necho "notes are missing: 3" >&2; exit 1\n',
    );
    const { output, lastLine, code } = await test(host, `1.${minor + 1}.1`);
    expect(code).toBe(1);
    expect(lastLine).toBe('knowngood: test refused check-failed');
    expect(output).toMatch(/FAIL +[\d.]+ s {2}install: check: exec in app: \/service\/doctor: exit code 1\./);
    expect(output).toMatch(/Last line of exec in app: \/service\/doctor \(candidate, install\):/);
    expect(output).toContain('  | notes are missing: 3');
    expect(output).toMatch(/^upgrade {2}inconclusive .* tier-not-run$/m);
    await release(`1.${minor + 1}.2`, 'service/doctor', () => '#!/bin/sh\ntrue\n');
  });
});

it('a base that does not start is never green: the next older one is taken, and the entry is shown', async () => {
  await release('1.8.0', 'service/start', () => '#!/bin/sh\necho "no entrypoint" >&2; exit 1\n');
  // Built and pushed by an earlier pipeline, but never promoted.
  await (await jobAt('Drone', '1.8.0')).step({ ...common(), step: 'label, build-push', publish: 'on-push' });
  const good = await project.repository.git('show', '1.0.0:service/start');
  await release('1.8.1', 'service/start', () => `${good}\n# once more\n`);
  const { output, lastLine, code } = await test('Drone', '1.8.1', { 'upgrade-base': '1.8.0' });
  expect(code).toBe(2);
  expect(lastLine).toBe('knowngood: test error base-broken');
  expect(output).toContain('The base 1.8.0 does not start: `app` ended with exit code 1.\n');
  expect(phasesIn(output)).toContain('ok upgrade: check');
  expect(output).toMatch(/^upgrade {2}pass/m);
  // Ready to paste.
  expect(output).toContain(
    '\nknown-broken:\n  - { version: 1.8.0, reason: "`app` ended with exit code 1." }\n',
  );
});

/** The lines of phases, without their times. */
function phasesIn(output: string): string[] {
  return [...output.matchAll(/^(ok|FAIL) +[\d.]+ s {2}(.*)$/gm)].map(([, end, what]) => `${end} ${what}`);
}
