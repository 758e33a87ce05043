import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GitServer, gitServer } from '../../../sandbox/git-server.ts';
import { type BareRepository, openBareRepository } from '../../../src/git/commit.ts';
import type { Git } from '../../../src/git/git.ts';
import { parseRemote, type Remote } from '../../../src/git/remote.ts';
import { ourGit, type Repository, repository, temporaryFolder } from './repository.ts';

const at = new Date('2026-01-02T03:04:05Z');
const author = { name: 'knowngood', email: 'knowngood@example.org' };
const rules = { insecureHosts: [], folder: '/' };

let folder: string;
let server: GitServer;
let git: Git;

beforeAll(async () => {
  folder = temporaryFolder();
  server = await gitServer(folder);
  git = ourGit();
});
afterAll(() => server.stop());

let count = 0;
function remoteRepository(): { bare: Repository; http: Remote; path: Remote } {
  count += 1;
  const name = `ledger-${count}.git`;
  mkdirSync(join(folder, name));
  const bare = repository(join(folder, name), { bare: true });
  return {
    bare,
    http: parseRemote(`${server.url}/${name}`, rules),
    path: parseRemote(bare.folder, rules),
  };
}
async function add(
  repo: BareRepository,
  path: string,
  text: string,
  parent: string | undefined,
): Promise<string> {
  return repo.writeCommit({ changes: { [path]: text }, parent, message: `add ${path}`, author, at });
}

describe.each(['http', 'path'] as const)('a branch of a remote over %s', (transport) => {
  it('says that an absent branch is absent, and an unreadable remote is not', async () => {
    const remotes = remoteRepository();
    const repo = await openBareRepository(git, remotes[transport]);
    expect(await repo.fetchTip('knowngood')).toBeUndefined();
    const gone = parseRemote(
      transport === 'http' ? `${server.url}/none.git` : join(folder, 'none.git'),
      rules,
    );
    const other = await openBareRepository(git, gone);
    await expect(other.fetchTip('knowngood')).rejects.toMatchObject({ code: 'git-denied' });
  });

  it('creates the branch, reads what it wrote, and lists it', async () => {
    const remotes = remoteRepository();
    const repo = await openBareRepository(git, remotes[transport]);
    const first = await add(repo, 'recipes/app/canonical.json', '{}\n', undefined);
    expect(await repo.push(first, 'knowngood')).toBe('landed');
    const other = await openBareRepository(git, remotes[transport]);
    const tip = await other.fetchTip('knowngood');
    expect(tip).toBe(first);
    expect(Buffer.from((await other.readFile(first, 'recipes/app/canonical.json'))!).toString()).toBe('{}\n');
    expect(await other.readFile(first, 'recipes/app/intent.json')).toBeUndefined();
    expect(await other.readFile(first, 'nothing/at/all')).toBeUndefined();
    expect(await other.list(first, '')).toEqual(['recipes/']);
    expect(await other.list(first, 'recipes/app')).toEqual(['canonical.json']);
    expect(await other.list(first, 'recipes/none')).toEqual([]);
  });

  it('keeps the other files, replaces and removes', async () => {
    const remotes = remoteRepository();
    const repo = await openBareRepository(git, remotes[transport]);
    const one = await repo.writeCommit({
      changes: { 'a/x': '1', 'a/y': '2', b: '3' },
      parent: undefined,
      message: 'm',
      author,
      at,
    });
    const two = await repo.writeCommit({
      changes: { 'a/x': '9', 'a/y': null },
      parent: one,
      message: 'm',
      author,
      at,
    });
    expect(await repo.list(two, 'a')).toEqual(['x']);
    expect(Buffer.from((await repo.readFile(two, 'a/x'))!).toString()).toBe('9');
    expect(Buffer.from((await repo.readFile(two, 'b'))!).toString()).toBe('3');
  });

  it('rejects the slower of two, which reads again and lands', async () => {
    const remotes = remoteRepository();
    const [ada, bob] = [
      await openBareRepository(git, remotes[transport]),
      await openBareRepository(git, remotes[transport]),
    ];
    const root = await add(ada, 'root', '1', undefined);
    await ada.push(root, 'knowngood');
    await bob.fetchTip('knowngood');
    await ada.fetchTip('knowngood');
    expect(await ada.push(await add(ada, 'ada', '1', root), 'knowngood')).toBe('landed');
    expect(await bob.push(await add(bob, 'bob', '1', root), 'knowngood')).toBe('rejected');
    const tip = await bob.fetchTip('knowngood');
    expect(await bob.push(await add(bob, 'bob', '1', tip), 'knowngood')).toBe('landed');
    const end = (await ada.fetchTip('knowngood'))!;
    expect(await ada.list(end, '')).toEqual(['ada', 'bob', 'root']);
  });

  it('rejects a second root of a branch that came into being meanwhile', async () => {
    const remotes = remoteRepository();
    const [ada, bob] = [
      await openBareRepository(git, remotes[transport]),
      await openBareRepository(git, remotes[transport]),
    ];
    const [mine, theirs] = [await add(ada, 'a', '1', undefined), await add(bob, 'b', '1', undefined)];
    expect(await ada.push(mine, 'knowngood')).toBe('landed');
    expect(await bob.push(theirs, 'knowngood')).toBe('rejected');
    expect(await ada.fetchTip('knowngood')).toBe(mine);
  });

  it('finds a commit below the tip, and only if it is there', async () => {
    const remotes = remoteRepository();
    const repo = await openBareRepository(git, remotes[transport]);
    const commits: string[] = [];
    for (let i = 0; i < 5; i++) commits.push(await add(repo, `f${i}`, '1', commits.at(-1)));
    await repo.push(commits.at(-1)!, 'knowngood');
    const stray = await add(repo, 'stray', '1', commits[2]);
    const other = await openBareRepository(git, remotes[transport]);
    expect(await other.contains('knowngood', commits[0]!)).toBe(true);
    expect(await other.contains('knowngood', commits[4]!)).toBe(true);
    expect(await repo.contains('knowngood', stray)).toBe(false);
    expect(await other.contains('knowngood', '1'.repeat(40))).toBe(false);
    expect(await other.contains('elsewhere', commits[0]!)).toBe(false);
  });
});

describe('a push', () => {
  it('lands every one of many writers at once', async () => {
    const { http } = remoteRepository();
    const first = await openBareRepository(git, http);
    await first.push(await add(first, 'root', '1', undefined), 'knowngood');
    const write = async (index: number): Promise<void> => {
      const repo = await openBareRepository(git, http);
      for (;;) {
        const tip = await repo.fetchTip('knowngood');
        if ((await repo.push(await add(repo, `w${index}`, '1', tip), 'knowngood')) === 'landed') return;
      }
    };
    await Promise.all(Array.from({ length: 6 }, (_, index) => write(index)));
    const tip = (await first.fetchTip('knowngood'))!;
    expect(await first.list(tip, '')).toEqual(['root', 'w0', 'w1', 'w2', 'w3', 'w4', 'w5']);
  });

  it('that a hook of the server declines is denied, not rejected', async () => {
    const { bare, http } = remoteRepository();
    writeFileSync(join(bare.folder, 'hooks/pre-receive'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const repo = await openBareRepository(git, http);
    const commit = await add(repo, 'a', '1', undefined);
    await expect(repo.push(commit, 'knowngood')).rejects.toMatchObject({ code: 'git-denied' });
  });

  it('that gets no answer is unreachable', async () => {
    const { http } = remoteRepository();
    const repo = await openBareRepository(git, http);
    const commit = await add(repo, 'a', '1', undefined);
    server.fault({ times: 9, how: { status: 503 } });
    await expect(repo.push(commit, 'knowngood')).rejects.toMatchObject({ code: 'git-unreachable' });
    await expect(repo.fetchTip('knowngood')).rejects.toMatchObject({ code: 'git-unreachable' });
    server.clear();
  });

  it('whose answer was lost, and which the transport sent again, has landed', async () => {
    const { http } = remoteRepository();
    const repo = await openBareRepository(git, http);
    const commit = await add(repo, 'a', '1', undefined);
    server.fault({ service: 'git-receive-pack', method: 'POST', how: 'cut-after' });
    expect(await repo.push(commit, 'knowngood')).toBe('landed');
  });

  it('whose answer was lost for good has landed, which can be found out', async () => {
    const { http } = remoteRepository();
    const repo = await openBareRepository(git, http);
    const commit = await add(repo, 'a', '1', undefined);
    server.fault({ service: 'git-receive-pack', method: 'POST', how: 'cut-after', times: 9 });
    await expect(repo.push(commit, 'knowngood')).rejects.toMatchObject({ code: 'git-unreachable' });
    server.clear();
    expect(await repo.contains('knowngood', commit)).toBe(true);
  });

  it('gives the same commit for the same request', async () => {
    const { http } = remoteRepository();
    const [one, two] = [await openBareRepository(git, http), await openBareRepository(git, http)];
    expect(await add(one, 'a', '1', undefined)).toBe(await add(two, 'a', '1', undefined));
  });

  it.each(['../x', '.git/hooks/pre-push', 'a/../../x', '/etc/passwd', ''])(
    'refuses the path %j',
    async (path) => {
      const repo = await openBareRepository(git, remoteRepository().http);
      await expect(add(repo, path, '1', undefined)).rejects.toMatchObject({ code: 'path-outside' });
    },
  );

  it.each(['-x..', 'a b', '', 'x.lock', 'a:b'])('refuses the branch %j', async (branch) => {
    const repo = await openBareRepository(git, remoteRepository().http);
    await expect(repo.fetchTip(branch)).rejects.toMatchObject({ code: 'git-failed' });
  });
});
