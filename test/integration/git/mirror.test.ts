import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { command } from '../../../sandbox/command.ts';
import {
  type GitServer,
  gitEnv,
  gitServer,
  makeBareCopy,
  makeRepository,
  type Repository,
} from '../../../sandbox/index.ts';
import { createGit, type Git } from '../../../src/git/git.ts';
import { mirror } from '../../../src/git/mirror.ts';
import { parseRemote, type Remote } from '../../../src/git/remote.ts';

let root: string;
let server: GitServer;
let git: Git;
let author: Repository;
let upstream: Remote;
let own: Remote;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'knowngood-mirror-'));
  server = await gitServer(join(root, 'remotes'), { config: { 'http.receivepack': 'true' } });
  git = createGit({
    scratch: mkdtempSync(join(root, 'scratch-')),
    environment: process.env,
    credentials: [],
  });
  author = await makeRepository(join(root, 'author'));
  await author.commit('one', { file: '1' });
  await author.tag('1.0.0');
  await author.commit('two', { file: '2' });
  await author.tag('1.1.0', { message: 'annotated' });
  for (const name of ['upstream', 'own']) await makeBareCopy(author, join(root, 'remotes', `${name}.git`));
  const remote = (name: string): Remote =>
    parseRemote(`${server.url}/${name}.git`, { insecureHosts: [], folder: root });
  upstream = remote('upstream');
  own = remote('own');
});
afterEach(async () => {
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

/** All refs of the mirror, `refs/… id`. */
async function refs(name = 'own'): Promise<string[]> {
  const format = '--format=%(refname) %(objectname)';
  const output = await command(
    ['git', '--git-dir', join(root, 'remotes', `${name}.git`), 'for-each-ref', format],
    {
      env: gitEnv(),
    },
  );
  return output.split('\n').filter(Boolean);
}

const push = (name: string, ...what: string[]): Promise<string> =>
  author.git('push', '-q', '--force', join(root, 'remotes', `${name}.git`), ...what);

describe('a mirror', () => {
  it('that is equal is only looked at', async () => {
    const before = await refs();
    expect(await mirror(git, upstream, own)).toEqual({
      branch: 'main',
      branchMoved: false,
      added: [],
      moved: [],
      removed: [],
    });
    expect(await refs()).toEqual(before);
    expect(server.requests.some(({ service }) => service === 'git-receive-pack')).toBe(false);
  });

  it('gets what is new, and loses no branch, pull request or ledger of its own', async () => {
    await author.git('branch', 'ours');
    await push('own', 'ours', 'ours:refs/pull/7/head', 'ours:refs/heads/knowngood');
    const kept = (await refs()).filter((line) => !/refs\/(?:heads\/main|tags)/.test(line));
    await author.commit('three', { file: '3' });
    await author.tag('1.2.0');
    await author.git('branch', 'topic');
    await push('upstream', 'main', '1.2.0', 'topic', 'main:refs/pull/9/head');
    expect(await mirror(git, upstream, own)).toMatchObject({ branchMoved: true, added: ['1.2.0'] });
    const now = await refs();
    expect(now).toEqual(expect.arrayContaining(kept));
    expect(kept).toHaveLength(3);
    expect(now.filter((line) => /topic|pull\/9/.test(line))).toEqual([]);
    const shared = (line: string): boolean => /refs\/(?:heads\/main|tags)/.test(line);
    expect(now.filter(shared)).toEqual((await refs('upstream')).filter(shared));
  });

  it('follows a main that diverged and a tag that moved, and says so', async () => {
    await author.git('checkout', '-q', '-B', 'main', '1.0.0');
    await author.commit('another two', { file: 'another' });
    await author.git('tag', '-f', '1.0.0');
    await push('upstream', 'main', '1.0.0', ':refs/tags/1.1.0');
    expect(await mirror(git, upstream, own)).toEqual({
      branch: 'main',
      branchMoved: true,
      added: [],
      moved: ['1.0.0'],
      removed: ['1.1.0'],
    });
    expect(await refs()).toEqual(await refs('upstream'));
  });

  it('does not overwrite what somebody else wrote in between', async () => {
    await author.commit('three', { file: '3' });
    await push('upstream', 'main');
    const theirs = await author.commit('from somebody else', { file: 'else' });
    const racing: Git = {
      ...git,
      run: async (call) => {
        if (call.args[0] === 'push') await push('own', `${theirs}:refs/heads/main`);
        return git.run(call);
      },
    };
    await expect(mirror(racing, upstream, own)).rejects.toMatchObject({ outcome: 'error' });
    expect(await refs()).toContain(`refs/heads/main ${theirs}`);
  });

  it('of an upstream that does not answer is an error, and stays as it is', async () => {
    const before = await refs();
    server.fault({ path: /upstream/, times: 20, how: { status: 503 } });
    await expect(mirror(git, upstream, own)).rejects.toMatchObject({ code: 'git-unreachable' });
    expect(await refs()).toEqual(before);
  });
});
