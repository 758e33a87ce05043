import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GitServer, gitServer } from '../../../sandbox/git-server.ts';
import type { Git } from '../../../src/git/git.ts';
import { type History, openHistory } from '../../../src/git/history.ts';
import { parseRemote, type Remote } from '../../../src/git/remote.ts';
import { listRemoteTags } from '../../../src/git/tags.ts';
import { manyReleases, ourGit, type Repository, repository, temporaryFolder } from './repository.ts';

const rules = { insecureHosts: [], folder: '/' };
const limit = 256 * 1024;
let folder: string;
let server: GitServer;
let git: Git;

beforeAll(async () => {
  folder = temporaryFolder();
  server = await gitServer(folder);
  git = ourGit();
});
afterAll(() => server.stop());

interface Project {
  readonly bare: Repository;
  readonly work: Repository;
  readonly http: Remote;
  readonly path: Remote;
  push(): void;
}

let count = 0;
function project(options: { filter?: boolean } = {}): Project {
  count += 1;
  const place = join(folder, `project-${count}.git`);
  mkdirSync(place);
  const bare = repository(place, { bare: true });
  bare.git('config', 'uploadpack.allowFilter', String(options.filter ?? true));
  const work = repository();
  work.git('remote', 'add', 'origin', place);
  return {
    bare,
    work,
    http: parseRemote(`${server.url}/project-${count}.git`, rules),
    path: parseRemote(place, rules),
    push: () => void work.git('push', '-q', 'origin', '--mirror'),
  };
}

async function readAll(history: History, candidates: readonly string[] = []) {
  const tags = await history.tags(history.branch, candidates);
  return Object.fromEntries(tags.map(({ name, ...rest }) => [name, rest]));
}

describe.each(['http', 'path'] as const)('the history of a repository, read over %s', (transport) => {
  it('peels tags, and tells which the branch reaches', async () => {
    const { work, push, ...remotes } = project();
    const first = work.commit({ a: '1' });
    work.git('tag', '1.0.0');
    work.git('tag', '-a', '-m', 'annotated', 'v1.0.0');
    work.git('tag', '-a', '-m', 'a tag of a tag', 'nested', 'v1.0.0');
    work.git('checkout', '-q', '-b', 'side');
    const side = work.commit({ a: '2' });
    work.git('tag', '-a', '-m', 'side', '1.1.0-side');
    work.git('checkout', '-q', 'main');
    const second = work.commit({ a: '3' });
    work.git('tag', '1.1.0');
    work.git('tag', 'of-a-tree', 'HEAD^{tree}');
    push();
    const history = await openHistory(git, remotes[transport]);
    expect(history.branch).toEqual({ name: 'main', tip: second });
    const tree = (commit: string) => work.git('rev-parse', `${commit}^{tree}`);
    const tags = await readAll(history, [first]);
    expect(tags).toEqual({
      '1.0.0': { commit: first, tree: tree(first), reachable: true, ancestor: true },
      'v1.0.0': { commit: first, tree: tree(first), reachable: true, ancestor: true },
      nested: { commit: first, tree: tree(first), reachable: true, ancestor: true },
      '1.1.0-side': { commit: side, tree: tree(side), reachable: false, ancestor: false },
      '1.1.0': { commit: second, tree: tree(second), reachable: true, ancestor: false },
      'of-a-tree': { reachable: false, ancestor: false },
    });
    expect(await history.isAncestor(first, second)).toBe(true);
    expect(await history.isAncestor(side, second)).toBe(false);
    expect(await history.commit(side)).toMatchObject({ id: side, tree: tree(side), parents: [first] });
    expect((await history.commit(first))?.committedAt).toMatch(/^2023-11-1\dT\d\d:\d\d:\d\dZ$/);
  });

  it('reads files of a commit, and nothing but regular files', async () => {
    const { work, push, ...remotes } = project();
    work.write({
      'knowngood.yml': 'recipe: x\n',
      'deep/er/compose.yml': 'services: {}\n',
      big: 'x'.repeat(limit + 1),
    });
    work.git('add', '-A');
    execFileSync('ln', ['-s', 'knowngood.yml', join(work.folder, 'link.yml')]);
    const tip = work.commit({});
    push();
    const history = await openHistory(git, remotes[transport]);
    const text = async (path: string) => {
      const bytes = await history.readFile(tip, path, limit);
      return bytes && Buffer.from(bytes).toString();
    };
    expect(await text('knowngood.yml')).toBe('recipe: x\n');
    expect(await text('deep/er/compose.yml')).toBe('services: {}\n');
    expect(await text('absent.yml')).toBeUndefined();
    expect(await text('absent/x')).toBeUndefined();
    for (const path of [
      'link.yml',
      'link.yml/x',
      'knowngood.yml/x/y',
      'deep',
      'big',
      '../x',
      '/etc/passwd',
      '.git/config',
      '',
    ]) {
      await expect(text(path), path).rejects.toMatchObject({ code: 'path-outside' });
    }
  });

  it('uses the branch that is asked for, and says when there is none of that name', async () => {
    const { work, push, ...remotes } = project();
    const first = work.commit({ a: '1' });
    work.git('tag', '2.0.0');
    work.git('branch', 'release/2');
    const second = work.commit({ a: '2' });
    work.git('tag', '3.0.0');
    push();
    const history = await openHistory(git, remotes[transport], 'release/2');
    expect(history.branch).toEqual({ name: 'release/2', tip: first });
    expect((await readAll(history))['3.0.0']).toMatchObject({ reachable: false, commit: second });
    expect(await history.branchNamed('main')).toEqual({ name: 'main', tip: second });
    await expect(history.branchNamed('elsewhere')).rejects.toMatchObject({ code: 'branch-missing' });
    await expect(openHistory(git, remotes[transport], 'elsewhere')).rejects.toMatchObject({
      code: 'branch-missing',
    });
  });

  it('says that a repository without commits has no branch', async () => {
    const remotes = project();
    await expect(openHistory(git, remotes[transport])).rejects.toMatchObject({ code: 'branch-missing' });
  });

  it('says that a repository that is not there, or is not for us, is denied: never that it has no tags', async () => {
    const gone = transport === 'http' ? `${server.url}/gone.git` : join(folder, 'gone.git');
    await expect(openHistory(git, parseRemote(gone, rules))).rejects.toMatchObject({ code: 'git-denied' });
  });

  it('does not take a shallow repository for a complete one', async () => {
    const { work, push, path } = project();
    for (const name of ['1.0.0', '1.1.0', '1.2.0']) {
      work.commit({ a: name });
      work.git('tag', name);
    }
    push();
    const shallow = join(folder, `shallow-${count}.git`);
    execFileSync('git', ['clone', '-q', '--bare', '--depth=1', `file://${path.url}`, shallow]);
    const remote = transport === 'http' ? `${server.url}/shallow-${count}.git` : shallow;
    await expect(openHistory(git, parseRemote(remote, rules))).rejects.toMatchObject({
      code: 'tags-unavailable',
    });
  });
});

describe('the history over smart HTTP', () => {
  it('fetches commits only, and files when they are asked for', async () => {
    const { work, push, http } = project();
    for (let index = 0; index < 20; index++) {
      work.commit({ [`file-${index}`]: 'x'.repeat(5000) + index });
      work.git('tag', `1.${index}.0`);
    }
    work.commit({ 'knowngood.yml': 'recipe: x\n' });
    push();
    const history = await openHistory(git, http);
    expect(Object.keys(await readAll(history))).toHaveLength(20);
    const { requests } = server;
    const before = requests.length;
    expect(await history.readFile(history.branch.tip, 'knowngood.yml', limit)).toBeDefined();
    expect(requests.length - before).toBeLessThanOrEqual(6);
    expect(await history.commit(history.branch.tip)).toBeDefined();
    expect(requests.length - before).toBeLessThanOrEqual(6);
  });

  it('gives the same answers where the server cannot filter', async () => {
    const { work, push, http } = project({ filter: false });
    work.commit({ 'knowngood.yml': 'recipe: x\n' });
    work.git('tag', '1.0.0');
    push();
    const history = await openHistory(git, http);
    expect((await readAll(history))['1.0.0']).toMatchObject({ reachable: true });
    expect(
      Buffer.from((await history.readFile(history.branch.tip, 'knowngood.yml', limit))!).toString(),
    ).toBe('recipe: x\n');
  });

  it('finds a commit that no branch or tag has: by its id, or as the head of its pull request', async () => {
    const { bare, work, push, http } = project();
    work.commit({ a: '1' });
    push();
    work.git('checkout', '-q', '-b', 'feature');
    const head = work.commit({ a: '2' });
    work.git('push', '-q', 'origin', `${head}:refs/pull/7/head`);
    const history = await openHistory(git, http);
    expect(await history.commit(head, { pullRequest: 7 })).toMatchObject({ id: head });
    expect(await history.isAncestor(history.branch.tip, head)).toBe(true);
    // A server that speaks the old protocol only gives what its refs name.
    bare.git('config', 'protocol.version', '0');
    const other = await openHistory(git, http);
    expect(await other.commit(head, { pullRequest: 7 })).toMatchObject({ id: head });
    expect(await other.commit('1'.repeat(40), { pullRequest: 7 })).toBeUndefined();
    expect(await other.commit('1'.repeat(40))).toBeUndefined();
  });

  it('reads ten thousand tags, peeled, with their trees', async () => {
    manyReleases(
      join(folder, 'many.git'),
      10_000,
      (index) => `${Math.floor(index / 100)}.${index % 100}.0+v${index}`,
    );
    execFileSync('git', ['config', 'uploadpack.allowFilter', 'true'], { cwd: join(folder, 'many.git') });
    const started = performance.now();
    const history = await openHistory(git, parseRemote(`${server.url}/many.git`, rules));
    const tags = await history.tags(history.branch, []);
    console.info(`10,000 tags over HTTP: ${Math.round(performance.now() - started)} ms`);
    expect(tags).toHaveLength(10_000);
    expect(
      tags.every(({ commit, tree, reachable }) => commit !== undefined && tree !== undefined && reachable),
    ).toBe(true);
    const again = performance.now();
    const local = await openHistory(git, parseRemote(join(folder, 'many.git'), rules));
    expect(await local.tags(local.branch, [])).toEqual(tags);
    console.info(`10,000 tags from a path: ${Math.round(performance.now() - again)} ms`);
  });

  it('sends credentials to their origin, in a header, and nowhere else', async () => {
    const { work, push, http } = project();
    work.commit({ a: '1' });
    push();
    const secret = 'p4ss-w0rd';
    const locked = await gitServer(folder, { accounts: [{ username: 'u', password: secret }] });
    try {
      const url = http.url.replace(server.url, locked.url);
      const mine = ourGit({ credentials: [{ origin: locked.url, username: 'u', password: secret }] });
      expect((await openHistory(mine, parseRemote(url, rules))).branch.name).toBe('main');
      expect(locked.requests.every(({ authorization }) => authorization?.startsWith('Basic '))).toBe(true);
      expect(locked.requests.some(({ path }) => path.includes(secret))).toBe(false);

      const stranger = ourGit({
        credentials: [{ origin: 'https://git.example.org', username: 'u', password: secret }],
      });
      await expect(openHistory(stranger, parseRemote(url, rules))).rejects.toMatchObject({
        code: 'git-denied',
      });
      const inUrl = parseRemote(url.replace('http://', `http://u:${secret}@`), rules);
      expect(inUrl.url).not.toContain(secret);
      expect((await openHistory(ourGit(), inUrl)).branch.name).toBe('main');
    } finally {
      await locked.stop();
    }
  });

  it('does not follow a redirect with credentials', async () => {
    const { work, push, http } = project();
    work.commit({ a: '1' });
    push();
    const thief = await gitServer(folder);
    let asked = 0;
    const front = createServer((request, response) => {
      asked += 1;
      response.writeHead(302, { Location: `${thief.url}${request.url}` }).end();
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
    try {
      const mine = ourGit({ credentials: [{ origin, username: 'u', password: 'p4ss-w0rd' }] });
      const remote = parseRemote(http.url.replace(server.url, origin), rules);
      await expect(openHistory(mine, remote)).rejects.toMatchObject({ code: 'git-failed' });
      expect(asked).toBeGreaterThan(0);
      expect(thief.requests).toEqual([]);
    } finally {
      front.close();
      await thief.stop();
    }
  });

  it.each([
    [401, 'git-denied'],
    [403, 'git-denied'],
    [404, 'git-denied'],
    [429, 'git-unreachable'],
    [500, 'git-unreachable'],
    [503, 'git-unreachable'],
  ])('takes status %d for %s, never for "no tags"', async (status, code) => {
    const broken = await gitServer(folder);
    broken.fault({ times: 99, how: { status } });
    try {
      const remote = parseRemote(`${broken.url}/x.git`, rules);
      await expect(openHistory(git, remote)).rejects.toMatchObject({ code });
      await expect(listRemoteTags(git, remote)).rejects.toMatchObject({ code });
    } finally {
      await broken.stop();
    }
  });

  it('ends a call that is not answered, with everything it started', async () => {
    const silent = await gitServer(folder);
    silent.fault({ times: 9, delayMs: 60_000 });
    try {
      const hasty = ourGit({ timeoutMs: 500 });
      const remote = parseRemote(`${silent.url}/x.git`, rules);
      await expect(openHistory(hasty, remote)).rejects.toMatchObject({ code: 'git-unreachable' });
      const cancel = new AbortController();
      const cancelled = ourGit({ signal: cancel.signal });
      const waiting = openHistory(cancelled, remote);
      setTimeout(() => cancel.abort(), 200);
      await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    } finally {
      await silent.stop();
    }
  });
});

describe('the tags of a remote, as it has them now', () => {
  it.each(['http', 'path'] as const)('are listed over %s with what they are peeled to', async (transport) => {
    const { work, push, ...remotes } = project();
    const first = work.commit({ a: '1' });
    work.git('tag', '1.0.0');
    work.git('tag', '-a', '-m', 'x', 'v1.0.0');
    push();
    const tags = await listRemoteTags(git, remotes[transport]);
    expect(tags.get('1.0.0')).toEqual({ object: first, commit: first });
    expect(tags.get('v1.0.0')).toEqual({ object: work.git('rev-parse', 'v1.0.0'), commit: first });
    expect(tags.size).toBe(2);
    work.commit({ a: '2' });
    work.git('tag', '-f', '1.0.0');
    push();
    expect((await listRemoteTags(git, remotes[transport])).get('1.0.0')?.commit).not.toBe(first);
  });

  it('are an empty list where there are none', async () => {
    const { work, push, http } = project();
    work.commit({ a: '1' });
    push();
    expect(await listRemoteTags(git, http)).toEqual(new Map());
  });
});

describe('a checkout named as the repository', () => {
  it('takes branches of its origin into account, and is not changed', async () => {
    const { work, push, path } = project();
    work.commit({ a: '1' });
    work.git('tag', '1.0.0');
    push();
    const clone = repository(temporaryFolder(), { clone: path.url });
    clone.git('checkout', '-q', '-b', 'feature');
    clone.commit({ a: '2' });
    clone.git('branch', '-q', '-D', 'main');
    const before = snapshot(join(clone.folder, '.git'));
    const history = await openHistory(git, parseRemote(clone.folder, rules));
    expect(history.branch.name).toBe('main');
    expect((await readAll(history))['1.0.0']).toMatchObject({ reachable: true });
    expect(snapshot(join(clone.folder, '.git'))).toEqual(before);
  });

  it('is refused where it is shallow', async () => {
    const { work, push, path } = project();
    work.commit({ a: '1' });
    work.commit({ a: '2' });
    push();
    const clone = temporaryFolder();
    execFileSync('git', ['clone', '-q', '--depth=1', `file://${path.url}`, clone]);
    await expect(openHistory(git, parseRemote(clone, rules))).rejects.toMatchObject({
      code: 'tags-unavailable',
    });
  });

  it('may have any character in its path', async () => {
    const odd = join(temporaryFolder(), 'a "b" c:d\\e');
    mkdirSync(odd);
    const work = repository(odd);
    work.commit({ a: '1' });
    work.git('tag', '1.0.0');
    const history = await openHistory(git, parseRemote(odd, rules));
    expect((await readAll(history))['1.0.0']).toMatchObject({ reachable: true });
  });
});

/** Every file below a folder, for "was not changed". */
function snapshot(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
