import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notesService, releases } from '../../demo/notes-service.ts';
import { makeRepository, type Repository, sandbox } from '../../sandbox/index.ts';
import { runWorkflow, type WorkflowEnd, type WorkflowRun } from './act.ts';
import { theExample } from './documents.ts';
import { type Gitea, startGitea } from './gitea.ts';
import { hostProgram } from './programs.ts';

const there = hostProgram('act') && hostProgram('gitea');
const box = await sandbox();

interface Person {
  readonly login: string;
  readonly token: string;
}

describe.skipIf(!there)('a real Gitea', () => {
  let gitea: Gitea;
  let robin: Person;
  let bot: Person;
  let mallory: Person;

  beforeAll(async () => {
    gitea = await startGitea();
    robin = await gitea.person('robin');
    bot = await gitea.person('bot');
    mallory = await gitea.person('mallory');
  });
  afterAll(() => gitea?.stop());

  const pushUrl = ({ login, token }: Person, slug: string): string =>
    `${gitea.url.replace('//', `//${login}:${token}@`)}/${slug}.git`;

  /** robin's repository on Gitea, with its webhook, one release, and the bot that jobs run as. */
  async function project(name: string): Promise<{ repository: Repository; slug: string; image: string }> {
    const slug = `robin/${name}`;
    const image = `${gitea.host}/${slug}`;
    await gitea.api(robin.token, 'POST', '/user/repos', { name, default_branch: 'main' });
    // Gitea tells people's permissions to administrators of the repository only.
    await gitea.api(robin.token, 'PUT', `/repos/${slug}/collaborators/bot`, { permission: 'admin' });
    await gitea.api(robin.token, 'POST', `/repos/${slug}/hooks`, {
      type: 'gitea',
      active: true,
      events: ['issue_comment', 'pull_request_comment', 'pull_request', 'push'],
      config: { url: gitea.hooksUrl, content_type: 'json' },
    });
    const repository = await makeRepository(join(mkdtempSync(join(tmpdir(), 'knowngood-forge-')), name));
    const names = { base: await box.base('busybox'), image };
    await repository.commit('notes 1.0.0', notesService(releases[0]!, names));
    await repository.tag('1.0.0');
    await repository.git('push', '-q', pushUrl(robin, slug), 'main', '--tags');
    return { repository, slug, image };
  }

  const run = (slug: string, event: Pick<WorkflowRun, 'event' | 'payload' | 'ref' | 'sha' | 'workflow'>) =>
    runWorkflow(box, {
      ...event,
      server: gitea.url,
      repository: slug,
      secrets: { GITHUB_TOKEN: bot.token, REGISTRY_TOKEN: robin.token },
      env: { GITHUB_API_URL: `${gitea.url}/api/v1` },
    });

  /** Opens a pull request of `head`, comments on it as `author`, and runs the documented workflow on what Gitea tells. */
  async function commented(name: string, author: Person, comment: string) {
    const { repository, slug } = await project(name);
    await repository.branch('topic');
    const sha = await repository.commit('change', { 'service/more': 'x' });
    await repository.git('push', '-q', pushUrl(robin, slug), 'topic');
    await repository.git('checkout', '-q', 'main');
    const main = await repository.git('rev-parse', 'main');
    const pull = { title: 'a change', head: 'topic', base: 'main' };
    // Gitea takes in what was pushed after git has been answered.
    await gitea.until(() => gitea.api(robin.token, 'GET', `/repos/${slug}/branches/topic`));
    const { number } = await gitea.api<{ number: number }>(robin.token, 'POST', `/repos/${slug}/pulls`, pull);
    await gitea.api(author.token, 'POST', `/repos/${slug}/issues/${number}/comments`, { body: comment });
    const payload = await gitea.hook('issue_comment', slug);
    const ran: WorkflowEnd = await run(slug, {
      workflow: theExample('docs/testme.md#1').text,
      event: 'issue_comment',
      payload,
      ref: 'refs/heads/main',
      sha: main,
    });
    const statuses = await gitea.api<{ status: string; context: string }[]>(
      robin.token,
      'GET',
      `/repos/${slug}/commits/${sha}/statuses`,
    );
    const comments = await gitea.api<{ body: string; user: { login: string } }[]>(
      robin.token,
      'GET',
      `/repos/${slug}/issues/${number}/comments`,
    );
    return { ran, sha, statuses, answers: comments.filter(({ user }) => user.login === 'bot') };
  }

  it("runs the documented `!testme` on Gitea's own event: one status, one comment", async () => {
    const { ran, sha, statuses, answers } = await commented('testme', robin, '!testme');
    expect(ran.code, ran.log).toBe(0);
    expect(ran.outputs.admit, ran.log).toMatchObject({ accepted: 'true', sha });
    expect(ran.log).toContain('knowngood: test done green');
    expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set(['pending', 'success']));
    expect(new Set(statuses.map(({ context }) => context))).toEqual(new Set(['knowngood/test']));
    expect(answers).toHaveLength(1);
    expect(answers[0]!.body).toContain(sha);
  });

  it('refuses a stranger on Gitea, with one answer and nothing run', async () => {
    const { ran, statuses, answers } = await commented('stranger', mallory, '!testme');
    expect(ran.code, ran.log).toBe(0);
    expect(ran.outputs.admit).toMatchObject({ accepted: 'false', reason: 'denied-permission' });
    expect(ran.log).not.toContain('knowngood: label');
    expect(statuses).toEqual([]);
    expect(answers).toHaveLength(1);
    expect(answers[0]!.body).toContain('denied-permission');
  });

  it("releases into Gitea's container registry, with the ledger as a branch of the repository", async () => {
    const { repository, slug, image } = await project('release');
    // Gitea's job token may not push packages: the docs say to give credentials.
    const workflow = theExample('README.md#1').text.replace(
      /^( *)step: release$/m,
      [
        '$&',
        '$1registry-username: robin',
        '$1registry-password: ${{ secrets.REGISTRY_TOKEN }}',
        '$1ledger-token: ${{ secrets.GITHUB_TOKEN }}',
        '$1ledger-init: true',
      ].join('\n'),
    );
    const sha = await repository.git('rev-parse', '1.0.0^{commit}');
    const payload = { ref: 'refs/tags/1.0.0', repository: { default_branch: 'main' } };
    const ran = await run(slug, { workflow, event: 'push', payload, ref: 'refs/tags/1.0.0', sha });
    expect(ran.code, ran.log).toBe(0);
    expect(ran.outputs.release).toMatchObject({ reason: 'promoted', 'canonical-version': '1.0.0' });
    expect(ran.log).not.toContain(robin.token);
    const packages = await gitea.api<{ name: string; version: string }[]>(
      robin.token,
      'GET',
      '/packages/robin?type=container&limit=50',
    );
    const versions = packages.filter(({ name }) => name === 'release').map(({ version }) => version);
    expect(versions).toEqual(expect.arrayContaining(['1.0.0', '1.0', '1', 'latest']));
    const file = `/repos/${slug}/contents/notes/canonical.json?ref=knowngood`;
    const record = await gitea.api<{ content: string }>(robin.token, 'GET', file);
    expect(JSON.parse(Buffer.from(record.content, 'base64').toString())).toMatchObject({
      version: '1.0.0',
      subject: { image, digest: ran.outputs.release!.digest },
    });
  });

  it('docs/drift.md#1: by night one issue, and none for a pull request', async () => {
    const { repository, slug } = await project('drift');
    const workflow = theExample('docs/drift.md#1').text;
    const main = await repository.git('rev-parse', 'main');
    const night = { event: 'schedule', payload: {}, ref: 'refs/heads/main', sha: main, workflow };
    const issues = () =>
      gitea.api<{ title: string; body: string; user: { login: string } }[]>(
        robin.token,
        'GET',
        `/repos/${slug}/issues?type=issues&state=all`,
      );
    for (let n = 0; n < 2; n++) {
      const found = await run(slug, night);
      expect(found.code, found.log).toBe(0);
      expect(found.log).toContain('knowngood: drift done clean');
      expect(found.annotations.join('\n')).toContain('unpublished-release: The release 1.0.0 is not in');
    }
    const told = await issues();
    expect(told).toMatchObject([{ user: { login: 'bot' } }]);
    expect(told[0]!.body).toContain('unpublished-release');

    await repository.branch('topic');
    const compose = 'services: { app: { image: registry.example.org/other/app:1 } }\n';
    const sha = await repository.commit('a pin', { 'compose.yml': compose });
    await repository.git('push', '-q', pushUrl(robin, slug), 'topic');
    await gitea.until(() => gitea.api(robin.token, 'GET', `/repos/${slug}/branches/topic`));
    const pull = { title: 'a pin', head: 'topic', base: 'main' };
    await gitea.api(robin.token, 'POST', `/repos/${slug}/pulls`, pull);
    const payload = await gitea.hook('pull_request', slug);
    const { number } = payload as { number: number };
    const ref = `refs/pull/${number}/head`;
    const asked = await run(slug, { event: 'pull_request', payload, ref, sha, workflow });
    expect(asked.code, asked.log).toBe(0);
    // A host that no file of the release branch names is not even looked up.
    expect(asked.log).toContain('pin-unknown-host');
    expect(await issues()).toEqual(told);
  });
});
