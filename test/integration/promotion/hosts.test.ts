import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNotesProject, type NotesProject } from '../../../demo/workspace.ts';
import { type GitServer, gitServer } from '../../../sandbox/git-server.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { githubJob, pluginJob, readOutputsEnv } from '../bundle/ci-job.ts';

let box: Sandbox;
let project: NotesProject;
let server: GitServer;
let root: string;

beforeAll(async () => {
  box = await sandbox();
  root = mkdtempSync(join(tmpdir(), 'knowngood-promote-hosts-'));
  const image = `${box.registry.host}/hosts${process.pid}/notes`;
  project = await makeNotesProject(root, { base: await box.base('busybox'), image, upTo: '1.0.0' });
  server = await gitServer(join(root, 'remote'), { config: { 'http.receivepack': 'true' } });
}, 300_000);
afterAll(() => server.stop());

const line = 'label, build-push, step-back, test, promote';

async function onGithub(tag: string) {
  const workspace = await project.checkout(`refs/tags/${tag}`);
  return githubJob('github-tag', workspace, box.env, {
    env: {
      GITHUB_REF: `refs/tags/${tag}`,
      GITHUB_REF_NAME: tag,
      GITHUB_SHA: await project.repository.git('rev-parse', `${tag}^{commit}`),
      GITHUB_SERVER_URL: server.url,
      GITHUB_REPOSITORY: 'notes',
    },
  });
}

async function onDrone(tag: string, card: string) {
  const workspace = await project.checkout(`refs/tags/${tag}`);
  return pluginJob('drone-tag', workspace, box.env, {
    DRONE_TAG: tag,
    DRONE_COMMIT_SHA: await project.repository.git('rev-parse', `${tag}^{commit}`),
    DRONE_COMMIT_REF: `refs/tags/${tag}`,
    DRONE_REMOTE_URL: `${server.url}/notes.git`,
    DRONE_CARD_PATH: card,
  });
}

// One story: each part goes on where the one before it ended. The ledger is the default of every CI.
describe('promote, rollback and hold from the bundle', { timeout: 300_000 }, () => {
  it('GitHub: the first release, its outputs and its summary', async () => {
    const job = await onGithub('1.0.0');
    const without = await job.step({ step: line, recipe: 'notes' });
    expect([without.code, without.lastLine]).toEqual([2, 'knowngood: promote error ledger-missing']);
    expect(without.output).toContain('`ledger-init: true`');
    const first = await job.step({ step: 'promote', recipe: 'notes', 'ledger-init': 'true' });
    expect([first.code, first.lastLine], first.output).toEqual([0, 'knowngood: promote done promoted']);
    expect(first.outputs).toMatchObject({
      promoted: 'true',
      'canonical-version': '1.0.0',
      sequence: '1',
      'published-tags': '["1.0.0","1.0","1","latest"]',
    });
    expect(first.summary).toContain('### ✅ promote: done `promoted`');
    expect(first.summary).toContain('| ✅ | Green: every required tier passed | `not-green` |');
    const again = await job.step({ step: 'promote', recipe: 'notes' });
    expect([again.code, again.lastLine]).toEqual([0, 'knowngood: promote skipped already-canonical']);
  });

  it('Drone: a release that has to wait, and its card', async () => {
    await project.release('1.1.0');
    const card = join(root, 'card.json');
    const job = await onDrone('1.1.0', card);
    const waits = await job.step({ step: line, recipe: 'notes', 'min-age': '1h' });
    expect([waits.code, waits.lastLine], waits.output).toEqual([0, 'knowngood: promote skipped soaking']);
    expect(waits.output).toMatch(/^WAIT {2}The release has been known for `min-age`.* {2}soaking$/m);
    const outputs = readOutputsEnv(job.workspace);
    expect(outputs.KNOWNGOOD_PROMOTE_PROMOTED).toBe('false');
    expect(Date.parse(outputs.KNOWNGOOD_PROMOTE_ELIGIBLE_AT!)).toBeGreaterThan(Date.now());
    expect(outputs.KNOWNGOOD_PROMOTE_CANONICAL_VERSION).toBe('1.0.0');
    expect(existsSync(card)).toBe(true);
    expect(readFileSync(card, 'utf8')).toContain('"outcome":"skipped"');

    const now = await job.step({ step: 'promote', recipe: 'notes' });
    expect([now.code, now.lastLine], now.output).toEqual([0, 'knowngood: promote done promoted']);
  });

  it('GitHub: back to the release before, which stays so until somebody lets go', async () => {
    const job = await onGithub('1.1.0');
    const back = await job.step({ step: 'rollback', recipe: 'notes', why: 'it loses notes' });
    expect([back.code, back.lastLine], back.output).toEqual([0, 'knowngood: rollback done rolled-back']);
    expect(back.outputs).toMatchObject({ 'canonical-version': '1.0.0', sequence: '3' });
    const held = await job.step({ step: line, recipe: 'notes' });
    expect([held.code, held.lastLine], held.output).toEqual([0, 'knowngood: promote skipped held']);
    const lifted = await job.step({ step: 'hold', recipe: 'notes', why: 'it did not', lift: 'true' });
    expect([lifted.code, lifted.lastLine]).toEqual([0, 'knowngood: hold done hold-lifted']);
  });

  it('GitHub: what is not the newest release is refused, with what to do', async () => {
    await project.release('2.0.0');
    const job = await onGithub('1.1.0');
    const old = await job.step({ step: line, recipe: 'notes' });
    expect([old.code, old.lastLine], old.output).toEqual([1, 'knowngood: promote refused not-latest']);
    expect(old.output).toContain('::error title=not-latest::');
    expect(old.summary).toContain('| ⛔ | Latest: no stable release is newer | `not-latest` |');
  });
});
