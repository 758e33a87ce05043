import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GitServer, gitServer } from '../../../sandbox/git-server.ts';
import { readCommit } from '../../../src/git/commit-object.ts';
import { fetchWhole, layOut } from '../../../src/git/lay-out.ts';
import { parseRemote } from '../../../src/git/remote.ts';
import { ourGit, type Repository, repository, temporaryFolder } from './repository.ts';

const git = ourGit();
let folder: string;
let server: GitServer;
beforeAll(async () => {
  folder = temporaryFolder();
  server = await gitServer(folder);
});
afterAll(() => server.stop());

let count = 0;
/** Pushes a commit as the head of a pull request and gives the remote. */
function published(work: Repository, commit: string): string {
  count += 1;
  const bare = join(folder, `p-${count}.git`);
  execFileSync('git', ['init', '-q', '--bare', bare]);
  work.git('push', '-q', bare, `${commit}:refs/pull/1/head`);
  return `${server.url}/p-${count}.git`;
}

async function laidOut(url: string, commit: string, pullRequest?: number) {
  const remote = parseRemote(url, { insecureHosts: [], folder: '/' });
  const source = await fetchWhole(git, { remote }, commit, pullRequest);
  const facts = await readCommit(source, commit);
  return layOut(source, facts!.tree, join(temporaryFolder(), 'candidate'));
}

describe("a candidate's tree as plain files", () => {
  it('is what the commit has: modes, links, odd names, empty files, and no .git', async () => {
    const work = repository();
    work.write({
      'a.txt': 'a\n',
      'deep/er/b': '',
      run: '#!/bin/sh\n',
      'ü "\n.txt': 'x',
      big: 'x'.repeat(300_000),
    });
    execFileSync('chmod', ['755', join(work.folder, 'run')]);
    symlinkSync('/etc/passwd', join(work.folder, 'out'));
    symlinkSync('deep', join(work.folder, 'in'));
    const commit = work.commit();
    const { folder: place } = await laidOut(published(work, commit), commit);
    expect(readdirSync(place).sort()).toEqual(
      ['a.txt', 'big', 'deep', 'in', 'out', 'run', 'ü "\n.txt'].sort(),
    );
    expect(readFileSync(join(place, 'a.txt'), 'utf8')).toBe('a\n');
    expect(readFileSync(join(place, 'big'), 'utf8')).toHaveLength(300_000);
    expect(readFileSync(join(place, 'deep/er/b'))).toHaveLength(0);
    expect(lstatSync(join(place, 'run')).mode & 0o111).not.toBe(0);
    expect(lstatSync(join(place, 'a.txt')).mode & 0o111).toBe(0);
    expect(readlinkSync(join(place, 'out'))).toBe('/etc/passwd');
    expect(readlinkSync(join(place, 'in'))).toBe('deep');
  });

  it('has every byte of the commit: no filter, no line endings, no substitution, nothing left out', async () => {
    const work = repository();
    work.commit({
      '.gitattributes': '*.sub export-subst\n*.not export-ignore\n*.bat eol=crlf\n*.id ident\n*.f filter=x\n',
      'a.sub': '$Format:%H$\n',
      'b.not': 'here\n',
      'c.bat': 'one\r\n',
      'd.id': '$Id$\n',
      'e.f': 'plain\n',
    });
    const commit = work.git('rev-parse', 'HEAD');
    const { folder: place } = await laidOut(published(work, commit), commit);
    const text = (name: string) => readFileSync(join(place, name), 'utf8');
    expect([text('a.sub'), text('b.not'), text('c.bat'), text('d.id'), text('e.f')]).toEqual([
      '$Format:%H$\n',
      'here\n',
      'one\n',
      '$Id$\n',
      'plain\n',
    ]);
  });

  it('is of exactly the commit that was asked for, also where the server gives only what refs name', async () => {
    const work = repository();
    const head = work.commit({ a: '1' });
    const url = published(work, head);
    execFileSync('git', ['config', 'protocol.version', '0'], { cwd: join(folder, `p-${count}.git`) });
    expect(existsSync(join((await laidOut(url, head, 1)).folder, 'a'))).toBe(true);
    const other = work.commit({ a: '2' });
    await expect(laidOut(url, other, 1)).rejects.toMatchObject({ code: 'candidate-unknown' });
    await expect(laidOut(url, '1'.repeat(40))).rejects.toMatchObject({ code: 'candidate-unknown' });
  });

  it('leaves submodules empty, and says which: their addresses are the word of a stranger', async () => {
    const work = repository();
    work.write({ '.gitmodules': '[submodule "x"]\n\tpath = sub\n\turl = ext::sh -c touch% /tmp/sprung\n' });
    work.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},sub`);
    work.git('add', '.gitmodules');
    work.git('commit', '-q', '-m', 'x');
    const commit = work.git('rev-parse', 'HEAD');
    const { folder: place, submodules } = await laidOut(published(work, commit), commit);
    expect(submodules).toEqual(['sub']);
    expect(readdirSync(join(place, 'sub'))).toEqual([]);
  });

  it.each<[trick: string, lines: (blob: string, link: string, tree: string) => string[]]>([
    ['a folder .git', (_, __, tree) => [`040000 tree ${tree}\t.git`]],
    ['a file .GIT', (blob) => [`100644 blob ${blob}\t.GIT`]],
    ['git~1, as NTFS would call it', (blob) => [`100644 blob ${blob}\tgit~1`]],
    [
      '.git with a stream, as NTFS reads it',
      (_, __, tree) => [`040000 tree ${tree}\t.git::$INDEX_ALLOCATION`],
    ],
    ['.git with a character that HFS+ ignores', (blob) => [`100644 blob ${blob}\t.g\u200cit`]],
    ['..', (_, __, tree) => [`040000 tree ${tree}\t..`]],
    ['.', (_, __, tree) => [`040000 tree ${tree}\t.`]],
    ['a backslash', (blob) => [`100644 blob ${blob}\ta\\..\\b`]],
    [
      'a link and a folder of one name',
      (_, link, tree) => [`120000 blob ${link}\tx`, `040000 tree ${tree}\tx`],
    ],
    ['a file twice', (blob) => [`100644 blob ${blob}\tx`, `100755 blob ${blob}\tx`]],
  ])('refuses %s', async (_, lines) => {
    const work = repository();
    const blob = work.git('hash-object', '-w', '--stdin');
    writeFileSync(join(work.folder, 'target'), '/tmp');
    const link = work.git('hash-object', '-w', 'target');
    const inner = rawTree(work, [`100644 blob ${blob}\tf`]);
    const tree = rawTree(work, lines(blob, link, inner));
    const commit = work.git('commit-tree', '-m', 'x', tree);
    const place = join(temporaryFolder(), 'candidate');
    const source = await fetchWhole(
      git,
      { remote: parseRemote(published(work, commit), { insecureHosts: [], folder: '/' }) },
      commit,
    );
    await expect(layOut(source, tree, place)).rejects.toMatchObject({
      code: expect.stringMatching(/path-outside|git-failed/),
    });
    expect(existsSync(place)).toBe(false);
  });

  it('never writes into a folder that is there', async () => {
    const work = repository();
    const commit = work.commit({ a: '1' });
    const remote = parseRemote(published(work, commit), { insecureHosts: [], folder: '/' });
    const source = await fetchWhole(git, { remote }, commit);
    const there = temporaryFolder();
    await expect(layOut(source, (await readCommit(source, commit))!.tree, there)).rejects.toThrow();
    expect(readdirSync(there)).toEqual([]);
  });
});

/** A tree object with exactly these entries, which mktree would refuse. */
function rawTree(work: Repository, lines: readonly string[]): string {
  const parts = lines.map((line) => {
    const [head = '', name = ''] = line.split('\t');
    const [mode = '', , id = ''] = head.split(' ');
    return Buffer.concat([Buffer.from(`${mode.replace(/^0/, '')} ${name}\0`), Buffer.from(id, 'hex')]);
  });
  const args = ['hash-object', '-w', '-t', 'tree', '--literally', '--stdin'];
  return execFileSync('git', args, { cwd: work.folder, input: Buffer.concat(parts) })
    .toString()
    .trim();
}
