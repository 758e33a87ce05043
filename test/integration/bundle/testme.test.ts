import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeNotesProject, type NotesProject } from '../../../demo/workspace.ts';
import { tryCommand } from '../../../sandbox/command.ts';
import { type GitServer, gitServer } from '../../../sandbox/git-server.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { DRONE_TOKEN, droneDouble } from '../forge/drone-double.ts';
import type { ForgeServer } from '../forge/forge-server.ts';
import { githubDouble, TOKEN } from '../forge/github-double.ts';
import { commentPayload } from '../forge/payloads.ts';
import { type Comment, mallory, NAME, OWNER, type Pull, robin, World } from '../forge/world.ts';
import { githubJob, type Job, pluginJob } from './ci-job.ts';

let box: Sandbox;
let made: NotesProject;
let git: GitServer;
let image: string;
let head: string;
let slow: string;
let root: string;

/** A stranger's pull request: it improves the service, and looks for whatever it can see. */
const curious = (text: string): string => text.replace('set -eu\n', 'set -eu\necho "I see:"; env\n');

beforeAll(async () => {
  box = await sandbox();
  root = mkdtempSync(join(tmpdir(), 'knowngood-comment-'));
  image = `${box.registry.host}/comment${process.pid}/notes`;
  made = await makeNotesProject(root, { base: await box.base('busybox'), image, upTo: '1.0.0' });
  const { repository } = made;
  const file = (name: string): string => readFileSync(join(repository.path, name), 'utf8');
  await repository.branch('topic');
  head = await repository.commit('curious', {
    'service/start': curious(file('service/start')),
    Dockerfile: `${file('Dockerfile').replace('COPY service', 'RUN env\nCOPY service')}`,
  });
  slow = await repository.commit('slow', { 'service/start': '#!/bin/sh\nexec sleep 600\n' });
  await made.push(`${head}:refs/pull/12/head`, `${slow}:refs/pull/13/head`);
  await repository.git('checkout', '-q', 'main');
  mkdirSync(join(root, 'remote', OWNER));
  symlinkSync('../notes.git', join(root, 'remote', OWNER, `${NAME}.git`));
  git = await gitServer(join(root, 'remote'));
});
afterAll(() => git.stop());

let world: World;
let forge: ForgeServer;

beforeEach(async () => {
  world = new World();
  forge = await githubDouble(world);
});
afterEach(async () => {
  await forge.stop();
  expect(forge.deviations).toEqual([]);
});

let runId = 700;

/** Jobs of one workflow run that a comment started; each begins in a folder of its own. */
function workflow(comment: Comment): (workspace: string, env?: Record<string, string>) => Job {
  const id = String(++runId);
  return (workspace, env = {}) =>
    githubJob('github-comment', workspace, box.env, {
      env: {
        GITHUB_SERVER_URL: git.url,
        GITHUB_REPOSITORY: `${OWNER}/${NAME}`,
        GITHUB_RUN_ID: id,
        GITHUB_RUN_ATTEMPT: '1',
        ...env,
      },
      payload: (payload) => Object.assign(payload, commentPayload(comment)),
    });
}

const onForge = (): Record<string, string> => ({
  'forge-url': forge.url,
  forge: 'github',
  'forge-token': TOKEN,
});

const empty = (): string => mkdtempSync(join(root, 'job-'));

/** What upload-artifact and download-artifact do. */
function handOn(from: string, to: string): void {
  cpSync(join(from, 'knowngood-out'), join(to, 'knowngood-out'), { recursive: true });
}

/** Every text below a folder. */
function allText(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

function pullRequest(number: number, commit: string): Pull {
  return world.pull({
    number,
    head: commit,
    author: mallory,
    headRepository: 5000,
    files: ['service/start'],
  });
}

describe('from a comment to its answer', () => {
  it('a stranger’s pull request is admitted, tested without anything of ours, and answered', async () => {
    pullRequest(12, head);
    const comment = world.comment(12, robin, `!testme ${head}`);
    const job = workflow(comment);

    const admit = await job(await made.checkout('refs/heads/main')).step({ ...onForge(), step: 'testme' });
    expect(admit.output).toContain('knowngood: testme done admitted');
    expect(admit.outputs).toMatchObject({
      accepted: 'true',
      sha: head,
      'pull-request': '12',
      trusted: 'false',
    });
    expect(admit.summary).toContain(head);
    expect(world.reactions).toEqual([{ comment: comment.id, content: 'eyes' }]);
    expect(world.states(head)).toEqual(['pending']);

    const { sha = '', 'pull-request': number = '', arguments: words = '' } = admit.outputs;
    const secret = 'the-runner-has-this-secret-in-its-environment';
    const test = job(await made.checkout('refs/heads/main'), { SOMETHING_SECRET: secret });
    const requests = forge.requests.length;
    const tested = await test.step({
      step: 'change',
      candidate: sha,
      'pull-request': number,
      arguments: words,
      ledger: `file:${join(root, 'ledger')}`,
    });
    expect(tested.output).toContain('knowngood: test done green');
    expect(forge.requests.length).toBe(requests);
    // The pull request printed its whole environment while it was built and while it ran.
    const left = `${tested.output}\n${allText(join(test.workspace, 'knowngood-out'))}`;
    expect(left).toContain('I see:');
    for (const word of [TOKEN, secret]) expect(left).not.toContain(word);
    // Nothing of it was pushed.
    const listed = await tryCommand([await box.tool('crane'), 'ls', '--insecure', image], { env: box.env });
    expect(listed.stdout).toBe('');

    const reporting = empty();
    handOn(test.workspace, reporting);
    const report = await job(reporting).step({
      ...onForge(),
      step: 'report',
      candidate: sha,
      'pull-request': number,
      'job-result': 'success',
    });
    expect(report.output).toContain('knowngood: report done reported');
    expect(world.states(head)).toEqual(['pending', 'success']);
    expect(world.ours()).toHaveLength(1);
    expect(world.ours()[0]!.body).toContain('✅ Green');
    expect(world.ours()[0]!.body).toContain('of `notes`');
    expect(world.ours()[0]!.body).toContain('| `install` | ✅ pass |');
    expect(report.outputs['comment-url']).toContain('#issuecomment-');
  });

  it('a test job that is killed leaves an error, not a pending, and the same comment', async () => {
    pullRequest(13, slow);
    const jobs = workflow(world.comment(13, robin, `!testme ${slow}`));
    const admit = await jobs(await made.checkout('refs/heads/main')).step({ ...onForge(), step: 'testme' });
    expect(admit.outputs.accepted).toBe('true');

    const workspace = await made.checkout('refs/heads/main');
    const settings = {
      step: 'change',
      candidate: slow,
      'pull-request': '13',
      ledger: `file:${join(root, 'ledger')}`,
    };
    const killed = await jobs(workspace).step(settings, { node: dyingNode(workspace) });
    expect(killed.code).not.toBe(0);
    expect(killed.output).not.toContain('knowngood: test');
    // The host's own hook after a job: what the dead process left on the engine goes.
    await jobs(workspace, { 'STATE_knowngood-post': 'true' }).step(settings);

    for (const jobResult of ['failure', 'cancelled']) {
      const reporting = empty();
      handOn(workspace, reporting);
      const report = await jobs(reporting).step({
        ...onForge(),
        step: 'report',
        candidate: slow,
        'pull-request': '13',
        'job-result': jobResult,
      });
      expect(report.output).toContain('knowngood: report done reported');
      expect(world.states(slow).at(-1)).toBe('error');
      expect(world.ours()).toHaveLength(1);
      expect(world.ours()[0]!.body).toContain('❌ No answer');
    }
    expect(world.states(slow)).toEqual(['pending', 'error', 'error']);
  });

  it('a job whose machine was lost hands nothing on, and is answered all the same', async () => {
    pullRequest(13, slow);
    world.status(slow, 'pending');
    const report = await workflow(world.comment(13, robin, 'x'))(empty()).step({
      ...onForge(),
      step: 'report',
      candidate: slow,
      'pull-request': '13',
      'job-result': 'cancelled',
    });
    expect(report.code).toBe(0);
    expect(world.states(slow)).toEqual(['pending', 'error']);
    expect(world.ours()[0]!.body).toContain('The run left no result. The job ended with `cancelled`.');
  });

  it('a refusal ends the run with exit code 0 and one answer', async () => {
    pullRequest(12, head);
    const comment = world.comment(12, mallory, `!testme ${head}`);
    const refused = await workflow(comment)(empty()).step({ ...onForge(), step: 'testme' });
    expect([refused.code, refused.lastLine]).toEqual([0, 'knowngood: testme skipped denied-permission']);
    expect(refused.outputs.accepted).toBe('false');
    expect(world.ours()).toHaveLength(1);
    expect(world.states(head)).toEqual([]);
  });
});

describe('on Drone', () => {
  it('the comment starts a build with parameters, which are the settings of its steps', async () => {
    pullRequest(12, head);
    const drone = await droneDouble(`${OWNER}/${NAME}`);
    const comment = world.comment(12, robin, `!testme ${head}`);
    const admit = await workflow(comment)(await made.checkout('refs/heads/main')).step({
      ...onForge(),
      step: 'testme',
      mode: 'drone',
      'drone-server': drone.url,
      'drone-token': DRONE_TOKEN,
    });
    expect(admit.output).toContain('knowngood: testme done admitted');
    const { params } = drone.builds[0]!;
    await drone.stop();
    expect(drone.deviations).toEqual([]);

    const build = pluginJob('drone-custom', await made.checkout('refs/heads/main'), box.env, {
      ...params,
      DRONE_REPO: `${OWNER}/${NAME}`,
      DRONE_REMOTE_URL: `${git.url}/${OWNER}/${NAME}.git`,
      DRONE_REPO_LINK: `${git.url}/${OWNER}/${NAME}`,
      DRONE_BUILD_STATUS: 'success',
    });
    const started = await build.step({ step: 'testme' });
    expect(started.outputs).toMatchObject({
      KNOWNGOOD_TESTME_ACCEPTED: 'true',
      KNOWNGOOD_TESTME_SHA: head,
      KNOWNGOOD_TESTME_PULL_REQUEST: '12',
      KNOWNGOOD_TESTME_TRUSTED: 'false',
    });
    const labelled = await build.step({ step: 'label' });
    expect(labelled.outputs.KNOWNGOOD_LABEL_REVISION).toBe(head);
    const told = await build.step({ ...onForge(), step: 'report' });
    expect(told.output).toContain('knowngood: report done reported');
    // Labelled, but never tested: that is no answer.
    expect(world.states(head).at(-1)).toBe('error');
  });

  it('without parameters there is nothing to do, for testme as for report', async () => {
    const build = pluginJob('drone-custom', await made.checkout('refs/heads/main'), box.env, {
      KNOWNGOOD_CANDIDATE: '',
      KNOWNGOOD_PULL_REQUEST: '',
    });
    for (const step of ['testme', 'report']) {
      const end = await build.step({ step });
      expect([end.code, end.lastLine]).toEqual([0, `knowngood: ${step} skipped not-testme`]);
    }
  });

  it('a pull request’s own build has no parameters, whatever its pipeline sets', async () => {
    const build = pluginJob('drone-pull-request', await made.checkout('refs/heads/main'), box.env, {
      KNOWNGOOD_CANDIDATE: head,
      KNOWNGOOD_PULL_REQUEST: '12',
    });
    const end = await build.step({ step: 'testme' });
    expect(end.lastLine).toBe('knowngood: testme skipped not-testme');
  });
});

/** A Node that is killed as soon as the image is built, as a machine out of memory does it. */
function dyingNode(workspace: string): string {
  const path = join(empty(), 'node');
  const dossier = join(workspace, 'knowngood-out', 'notes', 'dossier.json');
  writeFileSync(
    path,
    `#!/bin/sh
'${process.execPath}' "$@" &
pid=$!
until grep -q '"upgradeBase"' '${dossier}' 2>/dev/null; do kill -0 $pid 2>/dev/null || break; sleep 0.1; done
sleep 1
kill -9 $pid
wait $pid
`,
  );
  chmodSync(path, 0o755);
  return path;
}
