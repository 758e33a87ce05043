import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { afterEach, describe, expect, it } from 'vitest';
import { gitEnv } from '../../../sandbox/index.ts';
import { buildContext } from '../../../src/recipe/files.ts';
import { packContext } from '../../../src/recipe/tar.ts';
import { type ContextTree, hashTree } from '../../../src/recipe/tree.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Content, `-> target`, or content of a file that can be run where the path ends with `*`. */
type Files = Readonly<Record<string, string | Buffer>>;

function laidOut(files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'kg-tree-'));
  folders.push(folder);
  for (const [written, content] of Object.entries({ Dockerfile: 'FROM scratch\nCOPY . /\n', ...files })) {
    const path = join(folder, written.replace(/\*$/, ''));
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === 'string' && content.startsWith('-> ')) symlinkSync(content.slice(3), path);
    else writeFileSync(path, content);
    if (written.endsWith('*')) chmodSync(path, 0o755);
  }
  return folder;
}

/** The tree that git itself makes of a folder, with sha256 objects and nothing ignored. */
function writeTree(folder: string): string {
  const gitDir = mkdtempSync(join(tmpdir(), 'kg-git-'));
  folders.push(gitDir);
  execFileSync('git', ['init', '-q', '--bare', '--object-format=sha256', gitDir], { env: gitEnv() });
  const git = (...args: readonly string[]) =>
    execFileSync('git', [`--git-dir=${gitDir}`, `--work-tree=${folder}`, ...args], {
      env: {
        ...gitEnv(),
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'core.autocrlf',
        GIT_CONFIG_VALUE_0: 'false',
      },
      encoding: 'utf8',
    }).trim();
  git('config', 'core.bare', 'false');
  git('add', '--all', '--force', '.');
  return git('write-tree');
}

const treeOf = async (folder: string): Promise<ContextTree> =>
  hashTree(await buildContext(folder, 'Dockerfile'));

describe('the context tree', () => {
  it.each<[string, Files]>([
    ['one file', {}],
    ['folders beside files with their names', { a: 'x', 'a.b': 'x', 'a-/b': 'x', a0: 'x', 'ab/c': 'x' }],
    ['a folder whose name sorts with its slash', { 'foo/x': '1', 'foo.txt': '2', 'foo-bar': '3', foo0: '4' }],
    ['names in byte order, not in that of UTF-16', { '\u{1f600}': '1', '\uffee': '2', é: '3', z: '4' }],
    ['files that can be run', { 'run.sh*': '#!/bin/sh\n', 'bin/tool*': '', 'plain.sh': '#!/bin/sh\n' }],
    ['links', { link: '-> Dockerfile', 'd/up': '-> ../nowhere', loop: '-> loop', abs: '-> /etc/passwd' }],
    [
      'empty files, and large ones',
      { empty: '', 'd/empty': '', large: Buffer.alloc(3 * 1024 * 1024 + 1, 7) },
    ],
    ['the border of small files', { a: Buffer.alloc(1024 * 1024), b: Buffer.alloc(1024 * 1024 + 1) }],
    ['line endings as they are', { crlf: 'a\r\nb\r\n', '.gitattributes': '* -text\n' }],
  ])('is that of git write-tree: %s', async (_, files) => {
    const folder = laidOut(files);
    expect((await treeOf(folder)).id).toBe(writeTree(folder));
  });

  it('is that of git write-tree for any names, contents, modes and links', async () => {
    const name = fc
      .string({ unit: fc.constantFrom('a', 'b', '.', '-', '0', 'é', '😀', ' '), minLength: 1, maxLength: 4 })
      .filter((text) => !/^\.{1,2}$/.test(text) && text.toLowerCase() !== '.git');
    const files = fc.dictionary(
      fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
      fc.record({
        kind: fc.constantFrom('file', 'program', 'link'),
        content: fc.oneof(
          fc.uint8Array(),
          fc.string({ minLength: 1 }).map((text) => Buffer.from(text.replaceAll('\0', 'x'))),
        ),
      }),
    );
    await fc.assert(
      fc.asyncProperty(files, async (random) => {
        const folder = laidOut({});
        for (const [path, { kind, content }] of Object.entries(random)) {
          try {
            mkdirSync(dirname(join(folder, path)), { recursive: true });
            // Ends are stored as they are written, whether something is there or not.
            if (kind === 'link') symlinkSync(Buffer.from(content).toString(), join(folder, path));
            else writeFileSync(join(folder, path), content);
            if (kind === 'program') chmodSync(join(folder, path), 0o755);
          } catch {
            // A file where another path needs a folder, or an end that no link can have.
          }
        }
        expect((await treeOf(folder)).id).toBe(writeTree(folder));
      }),
      { numRuns: 25 },
    );
  });

  it('is the same in checkouts under two umasks and at two paths, and that of git there', async () => {
    const author = laidOut({
      'bin/tool*': '#!/bin/sh\n',
      'a/b.txt': '1',
      'a.txt': '2',
      link: '-> a/b.txt',
      'ü/😀': '3',
      large: Buffer.alloc(2 * 1024 * 1024, 5),
    });
    const git = (...args: readonly string[]) =>
      execFileSync('git', ['-C', author, '-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
        env: gitEnv(),
      });
    git('init', '-q');
    git('add', '--all');
    git('commit', '-q', '-m', 'one');
    const ids: string[] = [];
    for (const [umask, path] of [
      ['0022', 'checkout'],
      ['0077', 'another/and deeper/checkout'],
      ['0002', 'again'],
    ] as const) {
      const folder = join(laidOut({}), path);
      execFileSync('sh', ['-euc', `umask ${umask}; git clone -q "$1" "$2"`, 'sh', author, folder], {
        env: { ...gitEnv(), PATH: process.env.PATH },
      });
      mkdirSync(join(folder, 'empty'));
      const { id } = await treeOf(folder);
      expect(id).toBe(writeTree(folder));
      ids.push(id);
    }
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toBe((await treeOf(author)).id);
    // Not because nothing differs on the disk.
    chmodSync(join(author, 'a.txt'), 0o755);
    expect((await treeOf(author)).id).not.toBe(ids[0]);
  });

  it('does not depend on place, umask, times or the order of the file system', async () => {
    const files = { 'a/x': '1', 'b*': '2', c: '-> a/x', 'd/e/f': '3' };
    const first = laidOut(files);
    const before = (await treeOf(first)).id;
    const other = laidOut({ only: 'x' });
    rmSync(join(other, 'only'));
    for (const name of ['d', 'b', 'a']) cpSync(join(first, name), join(other, name), { recursive: true });
    symlinkSync('a/x', join(other, 'c'));
    chmodSync(join(other, 'a/x'), 0o640);
    chmodSync(join(other, 'b'), 0o711);
    chmodSync(join(other, 'd/e'), 0o700);
    utimesSync(join(other, 'a/x'), 1, 1);
    expect((await treeOf(other)).id).toBe(before);
    mkdirSync(join(other, 'empty/folder'), { recursive: true });
    expect((await treeOf(other)).id).toBe(before);
    chmodSync(join(other, 'a/x'), 0o755);
    expect((await treeOf(other)).id).not.toBe(before);
  });

  it('refuses a large file that grows while it is read, and reads it no longer than it was', async () => {
    const folder = laidOut({ large: Buffer.alloc(8 * 1024 * 1024) });
    const context = await buildContext(folder, 'Dockerfile');
    let writing = true;
    const grow = (): void => {
      if (!writing) return;
      appendFileSync(join(folder, 'large'), Buffer.alloc(1024));
      setImmediate(grow);
    };
    grow();
    try {
      await expect(hashTree(context)).rejects.toMatchObject({
        code: 'candidate-changed',
        message: expect.stringContaining('large'),
      });
    } finally {
      writing = false;
    }
  });

  it('refuses a name that is not UTF-8, for git and builders would not agree on it', async () => {
    const folder = laidOut({});
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]), 'x');
    await expect(treeOf(folder)).rejects.toMatchObject({
      code: 'context-invalid',
      message: expect.stringContaining('not UTF-8'),
    });
  });

  it('refuses what is neither file nor link, and says what it is', async () => {
    const pipe = laidOut({});
    execFileSync('mkfifo', [join(pipe, 'pipe')]);
    await expect(treeOf(pipe)).rejects.toMatchObject({
      code: 'context-invalid',
      message: expect.stringContaining('`pipe` in the context is a pipe'),
    });
    const socket = laidOut({});
    const server = createServer().listen(join(socket, 's'));
    await new Promise((resolve) => server.once('listening', resolve));
    await expect(treeOf(socket)).rejects.toMatchObject({ message: expect.stringContaining('a socket') });
    server.close();
    const ignored = laidOut({ '.dockerignore': 'pipe\n' });
    execFileSync('mkfifo', [join(ignored, 'pipe')]);
    await expect(treeOf(ignored)).resolves.toHaveProperty('id');
  });

  it.each([
    ['above the context', '../Dockerfile', 'path-outside'],
    ['absolute', '/etc/passwd', 'path-outside'],
    ['behind a linked folder', 'linked/Dockerfile', 'path-outside'],
    ['that is a link', 'link', 'path-outside'],
    ['that is a folder', 'folder', 'path-outside'],
    ['in .git', '.git/Dockerfile', 'path-outside'],
    ['that is not there', 'other', 'dockerfile-missing'],
  ])('refuses a Dockerfile %s', async (_, dockerfile, code) => {
    const folder = laidOut({ 'folder/x': '', '.git/Dockerfile': 'FROM scratch\n', link: '-> /etc/hostname' });
    symlinkSync(laidOut({}), join(folder, 'linked'));
    await expect(buildContext(folder, dockerfile)).rejects.toMatchObject({ code });
  });
});

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly mtime: number;
  readonly owner: string;
  readonly content: string;
}

async function entriesOf(stream: NodeJS.ReadableStream): Promise<Entry[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const archive = extract();
  archive.end(Buffer.concat(chunks));
  const entries: Entry[] = [];
  for await (const entry of archive) {
    const { name, type = '', mode = 0, mtime, uid, gid, linkname } = entry.header;
    const hash = createHash('sha256');
    for await (const chunk of entry) hash.update(chunk as Buffer);
    const content = type === 'symlink' ? `-> ${linkname}` : hash.digest('hex').slice(0, 8);
    entries.push({ name, type, mode, mtime: mtime!.getTime() / 1000, owner: `${uid}:${gid}`, content });
  }
  return entries;
}

describe('the context as it is sent', () => {
  const files: Files = {
    'a/b/c.txt': 'x',
    'run*': 'y',
    link: '-> a/b/c.txt',
    large: Buffer.alloc(1024 * 1024 + 5, 3),
  };

  it('is sorted, of owner 0, with fixed modes and the time of the commit', async () => {
    const tree = await treeOf(laidOut(files));
    const entries = await entriesOf(packContext(tree, { epoch: 1_700_000_000 }));
    expect(entries.map(({ name, type, mode }) => `${mode.toString(8)} ${type} ${name}`)).toEqual([
      '644 file Dockerfile',
      '755 directory a',
      '755 directory a/b',
      '644 file a/b/c.txt',
      '644 file large',
      '777 symlink link',
      '755 file run',
    ]);
    expect(new Set(entries.map(({ owner }) => owner))).toEqual(new Set(['0:0']));
    expect(new Set(entries.map(({ mtime }) => mtime))).toEqual(new Set([1_700_000_000]));
  });

  it('is the same bytes for the same files elsewhere', async () => {
    const hashOf = async (folder: string) => {
      const hash = createHash('sha256');
      for await (const chunk of packContext(await treeOf(folder), { epoch: 1 })) hash.update(chunk as Buffer);
      return hash.digest('hex');
    };
    expect(await hashOf(laidOut(files))).toBe(await hashOf(laidOut(files)));
  });

  it('carries long names, and names and targets beyond ASCII', async () => {
    const long = `${'d'.repeat(120)}/${'f'.repeat(200)}`;
    const folder = laidOut({ [long]: 'x', 'ünï/😀': 'y', liñk: `-> ${'t'.repeat(180)}` });
    const names = (await entriesOf(packContext(await treeOf(folder), { epoch: 1 }))).map(
      ({ name, content }) => (content.startsWith('->') ? `${name} ${content}` : name),
    );
    expect(names).toEqual(expect.arrayContaining([long, 'ünï/😀', `liñk -> ${'t'.repeat(180)}`]));
  });

  it.each<[string, (folder: string) => void]>([
    ['the content of a small file', (folder) => writeFileSync(join(folder, 'a/b/c.txt'), 'z')],
    ['the length of a small file', (folder) => writeFileSync(join(folder, 'a/b/c.txt'), 'xx')],
    [
      'the content of a large file',
      (folder) => writeFileSync(join(folder, 'large'), Buffer.alloc(1024 * 1024 + 5, 4)),
    ],
    ['the length of a large file', (folder) => writeFileSync(join(folder, 'large'), 'short')],
    ['the mode of a file', (folder) => chmodSync(join(folder, 'run'), 0o644)],
    ['the mode of a large file', (folder) => chmodSync(join(folder, 'large'), 0o755)],
    [
      'where a link leads',
      (folder) => {
        rmSync(join(folder, 'link'));
        symlinkSync('/etc/passwd', join(folder, 'link'));
      },
    ],
    [
      'a file, now a link to the same content elsewhere',
      (folder) => {
        renameSync(join(folder, 'run'), join(folder, '..', 'kg-run'));
        symlinkSync('../kg-run', join(folder, 'run'));
      },
    ],
    ['a file that is gone', (folder) => rmSync(join(folder, 'a/b/c.txt'))],
    [
      'a file, now a folder',
      (folder) => {
        rmSync(join(folder, 'run'));
        mkdirSync(join(folder, 'run'));
      },
    ],
  ])('fails when what is sent is not what was hashed: %s', async (_, change) => {
    const folder = laidOut(files);
    const tree = await treeOf(folder);
    change(folder);
    await expect(entriesOf(packContext(tree, { epoch: 1 }))).rejects.toMatchObject({
      code: 'candidate-changed',
    });
    rmSync(join(folder, '..', 'kg-run'), { force: true });
  });

  it('reads no faster than it is taken', async () => {
    const folder = laidOut({ large: Buffer.alloc(64 * 1024 * 1024) });
    const stream = packContext(await treeOf(folder), { epoch: 1 });
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(stream.readableLength).toBeLessThan(4 * 1024 * 1024);
    stream.destroy();
  });
});
