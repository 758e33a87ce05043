import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { tryCommand } from '../../../sandbox/command.ts';
import { type GitServer, gitEnv, gitServer, makeBareCopy, makeRepository } from '../../../sandbox/index.ts';

const root = mkdtempSync(join(tmpdir(), 'git-server-'));
const account = { username: 'u', password: 'p4ss' };
let commit = '';
let server: GitServer | undefined;

beforeAll(async () => {
  const repository = await makeRepository(join(root, 'work'));
  await repository.commit('first', { 'a.txt': 'a\n', 'run.sh': { content: '#!/bin/sh\n', mode: 0o755 } });
  await repository.tag('v1', { message: 'one' });
  commit = await repository.commit('second', { 'a.txt': null, 'b/c.txt': 'c\n' });
  await makeBareCopy(repository, join(root, 'served/team/app.git'));
});
afterEach(() => server?.stop());
afterAll(() => rmSync(root, { recursive: true, force: true }));

const git = (...args: string[]) => tryCommand(['git', ...args], { cwd: root, env: gitEnv() });

it('makes the same commits everywhere', () => {
  expect(commit).toBe('6b16c5d93445025f0842d4d233b151be3b37ccfe');
});

it('serves fetches and takes pushes', async () => {
  server = await gitServer(join(root, 'served'));
  const url = `${server.url}/team/app.git`;
  expect((await git('ls-remote', url)).stdout).toContain('refs/tags/v1^{}');
  expect((await git('clone', '-q', '--depth', '1', url, 'shallow')).code).toBe(0);
  const pushed = await git('-C', 'work', 'push', '-q', url, 'HEAD:refs/heads/other');
  expect(pushed).toMatchObject({ code: 0 });
  expect((await git('ls-remote', url, 'refs/heads/other')).stdout).toContain(commit);
  expect(server.requests.some((asked) => asked.protocol === 'version=2')).toBe(true);
});

it('asks for credentials, to write only where it is told so', async () => {
  server = await gitServer(join(root, 'served'), { accounts: [account] });
  const refused = await git('ls-remote', `${server.url}/team/app.git`);
  expect(refused.code).toBe(128);
  const known = server.url.replace('//', `//${account.username}:${account.password}@`);
  expect((await git('ls-remote', `${known}/team/app.git`)).code).toBe(0);
  await server.stop();

  server = await gitServer(join(root, 'served'), { accounts: [account], openToRead: true });
  const url = `${server.url}/team/app.git`;
  expect((await git('ls-remote', url)).code).toBe(0);
  expect((await git('-C', 'work', 'push', url, 'HEAD:refs/heads/no')).code).not.toBe(0);
});

it('loses the answer to a push that it has taken', async () => {
  server = await gitServer(join(root, 'served'));
  server.fault({ service: 'git-receive-pack', method: 'POST', how: 'cut-after' });
  const url = `${server.url}/team/app.git`;
  expect((await git('-C', 'work', 'push', url, 'HEAD:refs/heads/lost')).code).not.toBe(0);
  expect((await git('ls-remote', url, 'refs/heads/lost')).stdout).toContain(commit);
});

it('answers many at once', async () => {
  server = await gitServer(join(root, 'served'));
  const url = `${server.url}/team/app.git/info/refs?service=git-upload-pack`;
  const statuses = await Promise.all(Array.from({ length: 100 }, async () => (await fetch(url)).status));
  expect(new Set(statuses)).toEqual(new Set([200]));
});
