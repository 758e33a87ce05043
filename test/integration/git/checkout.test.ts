import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Checkout, openCheckout } from '../../../src/git/checkout.ts';
import { openHistory } from '../../../src/git/history.ts';
import { parseRemote } from '../../../src/git/remote.ts';
import { ourGit, type Repository, repository, temporaryFolder } from './repository.ts';

const git = ourGit();

async function look(folder: string): Promise<Checkout> {
  const checkout = await openCheckout(git, folder);
  if (checkout === undefined) throw new Error(`no checkout at ${folder}`);
  return checkout;
}

async function dirty(work: Repository): Promise<readonly string[]> {
  return (await look(work.folder)).dirty(['knowngood-out']);
}

/** A clean checkout with a bit of everything. */
function clean(): Repository {
  const work = repository();
  work.write({
    'a.txt': 'a\n',
    'dir/b.txt': 'b\n',
    run: '#!/bin/sh\n',
    'ü ".txt': 'x',
    '.gitignore': 'ignored/\n*.log\n',
  });
  chmodSync(join(work.folder, 'run'), 0o755);
  symlinkSync('dir/b.txt', join(work.folder, 'link'));
  work.commit();
  return work;
}

describe('a checkout', () => {
  it('is found from a folder inside it, with its commit and tree', async () => {
    const work = clean();
    const checkout = await look(join(work.folder, 'dir'));
    expect(checkout.root).toBe(work.folder);
    expect(checkout.head).toMatchObject({
      id: work.git('rev-parse', 'HEAD'),
      tree: work.git('rev-parse', 'HEAD^{tree}'),
    });
    expect(await checkout.trackedIn('dir')).toEqual(['dir/b.txt']);
    expect(await checkout.trackedIn('knowngood-out')).toEqual([]);
  });

  it('may be none, or have no commit yet', async () => {
    expect(await openCheckout(git, temporaryFolder())).toBeUndefined();
    await expect(openCheckout(git, repository().folder)).rejects.toMatchObject({ code: 'candidate-unknown' });
  });

  it("may be a linked worktree, shallow, detached, and another user's", async () => {
    const work = clean();
    work.commit({ more: '1' });
    const tree = join(temporaryFolder(), 'worktree');
    work.git('worktree', 'add', '-q', '--detach', tree, 'HEAD~1');
    const linked = await look(tree);
    expect(linked.head.id).toBe(work.git('rev-parse', 'HEAD~1'));
    expect(await linked.dirty([])).toEqual([]);
    const shallow = temporaryFolder();
    execFileSync('git', ['clone', '-q', '--depth=1', `file://${work.folder}`, shallow]);
    if (process.getuid?.() === 0) execFileSync('chown', ['-R', '12345:12345', shallow]);
    const checkout = await look(shallow);
    expect(checkout.head.id).toBe(work.git('rev-parse', 'HEAD'));
    expect(await checkout.dirty([])).toEqual([]);
  });

  it('tells the address of its origin', async () => {
    const work = clean();
    expect(await (await look(work.folder)).originUrl()).toBeUndefined();
    work.git('remote', 'add', 'origin', 'https://git.example.org/a/b.git');
    expect(await (await look(work.folder)).originUrl()).toBe('https://git.example.org/a/b.git');
  });
});

describe('what is dirty', () => {
  it('is nothing in a fresh checkout, whatever its files are', async () => {
    expect(await dirty(clean())).toEqual([]);
  });

  it.each<[what: string, change: (folder: string) => void, paths: string[]]>([
    ['a changed file', (f) => writeFileSync(join(f, 'a.txt'), 'A\n'), ['a.txt']],
    [
      'a changed file of the same size and time',
      (f) =>
        execFileSync(
          'sh',
          ['-c', 'touch -r a.txt /tmp/kg-t; printf "A\\n" > a.txt; touch -r /tmp/kg-t a.txt'],
          { cwd: f },
        ),
      ['a.txt'],
    ],
    ['a removed file', (f) => rmSync(join(f, 'dir/b.txt')), ['dir/b.txt']],
    ['a new file', (f) => writeFileSync(join(f, 'dir/new'), ''), ['dir/new']],
    ['an ignored file', (f) => writeFileSync(join(f, 'x.log'), ''), []],
    ['a tracked file that is ignored', (f) => writeFileSync(join(f, '.gitignore'), '*'), ['.gitignore']],
    ['a file that became executable', (f) => chmodSync(join(f, 'a.txt'), 0o755), ['a.txt']],
    ['a file that is no longer', (f) => chmodSync(join(f, 'run'), 0o644), ['run']],
    [
      'a link elsewhere',
      (f) => {
        rmSync(join(f, 'link'));
        symlinkSync('/etc/passwd', join(f, 'link'));
      },
      ['link'],
    ],
    [
      'a link that became a file',
      (f) => {
        rmSync(join(f, 'link'));
        writeFileSync(join(f, 'link'), 'dir/b.txt');
      },
      ['link'],
    ],
    [
      'a file that became a link',
      (f) => {
        renameSync(join(f, 'a.txt'), join(f, '.git/a'));
        symlinkSync('.git/a', join(f, 'a.txt'));
      },
      ['a.txt'],
    ],
    [
      'a folder that became a link',
      (f) => {
        renameSync(join(f, 'dir'), join(f, '.git/dir'));
        symlinkSync('.git/dir', join(f, 'dir'));
      },
      ['dir', 'dir/b.txt'],
    ],
    [
      'our own folder',
      (f) => {
        mkdirSync(join(f, 'knowngood-out'));
        writeFileSync(join(f, 'knowngood-out/x'), '');
      },
      [],
    ],
    [
      'a folder with a name like ours',
      (f) => {
        mkdirSync(join(f, 'knowngood-out2'));
        writeFileSync(join(f, 'knowngood-out2/x'), '');
      },
      ['knowngood-out2/x'],
    ],
    [
      'a repository inside',
      (f) => {
        mkdirSync(join(f, 'inner'));
        repository(join(f, 'inner')).commit({ x: '1' });
      },
      ['inner/'],
    ],
  ])('%s', async (_, change, paths) => {
    const work = clean();
    change(work.folder);
    expect(await dirty(work)).toEqual(paths);
  });

  it('does not believe the index: assume-unchanged, skip-worktree, a time that did not move', async () => {
    const work = clean();
    work.git('update-index', '--assume-unchanged', 'a.txt');
    work.git('update-index', '--skip-worktree', 'dir/b.txt');
    work.write({ 'a.txt': 'changed\n', 'dir/b.txt': 'changed\n' });
    expect(work.git('status', '--porcelain')).toBe('');
    expect(await dirty(work)).toEqual(['a.txt', 'dir/b.txt']);
  });

  it('does not believe an exclude file of the repository', async () => {
    const work = clean();
    writeFileSync(join(work.folder, '.git/info/exclude'), '*\n');
    work.write({ hidden: '1' });
    expect(await dirty(work)).toEqual(['hidden']);
  });

  it('counts what git itself converted as clean, and nothing else', async () => {
    const work = repository();
    work.write({ '.gitattributes': '*.bat text eol=crlf\n*.id ident\n' });
    work.write({ 'a.bat': 'one\r\ntwo\r\n', 'b.id': 'x $Id$ y\n', 'c.txt': 'one\n' });
    work.commit();
    for (const name of ['a.bat', 'b.id']) rmSync(join(work.folder, name));
    work.git('checkout', '--', '.');
    expect(readFileSync(join(work.folder, 'a.bat'), 'utf8')).toBe('one\r\ntwo\r\n');
    expect(readFileSync(join(work.folder, 'b.id'), 'utf8')).toMatch(/\$Id: [0-9a-f]{40} \$/);
    expect(await dirty(work)).toEqual([]);
    work.write({ 'a.bat': 'one\r\nthree\r\n', 'b.id': 'x $Id: y $ z\n', 'c.txt': 'one\r\n' });
    expect(await dirty(work)).toEqual(['a.bat', 'b.id', 'c.txt']);
  });

  it('compares an LFS object with its pointer, and runs no filter for it', async () => {
    const work = repository();
    const content = 'large\n'.repeat(1000);
    const id = createHash('sha256').update(content).digest('hex');
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${id}\nsize ${content.length}\n`;
    work.write({ '.gitattributes': '*.bin filter=lfs\n', 'x.bin': pointer });
    work.commit();
    work.write({ 'x.bin': content });
    expect(await dirty(work)).toEqual([]);
    work.write({ 'x.bin': `${content}!` });
    expect(await dirty(work)).toEqual(['x.bin']);
  });

  it('does not take attributes from files that are not in the commit', async () => {
    const work = clean();
    work.write({
      'ignored/.gitattributes': '* text eol=crlf\n',
      '.git/info/attributes': '* text eol=crlf\n',
    });
    work.write({ 'a.txt': 'a\r\n' });
    expect(await dirty(work)).toEqual(['a.txt']);
  });

  it('is told by what is in a submodule: its commit, its files, or nothing where it is not checked out', async () => {
    const inner = repository();
    inner.commit({ x: '1' });
    const outer = repository();
    outer.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner.folder, 'sub');
    outer.commit();
    expect(await dirty(outer)).toEqual([]);
    writeFileSync(join(outer.folder, 'sub/x'), '2');
    expect(await dirty(outer)).toEqual(['sub/x']);
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.org', 'commit', '-qam', 'x'], {
      cwd: join(outer.folder, 'sub'),
    });
    expect(await dirty(outer)).toEqual(['sub']);
    rmSync(join(outer.folder, 'sub'), { recursive: true });
    expect(await dirty(outer)).toEqual([]);
    mkdirSync(join(outer.folder, 'sub'));
    expect(await dirty(outer)).toEqual([]);
    writeFileSync(join(outer.folder, 'sub/x'), 'not a checkout');
    expect(await dirty(outer)).toEqual(['sub']);
  });

  it.each(['HEAD:dir', 'HEAD^{tree}'])(
    'is not told by a tree that was exchanged for another: %s',
    async (which) => {
      const work = clean();
      work.write({ 'a.txt': 'evil\n', 'dir/b.txt': 'evil\n' });
      const honest = work.git('rev-parse', which);
      work.git('add', '.');
      const root = work.git('write-tree');
      const forged = which === 'HEAD:dir' ? work.git('rev-parse', `${root}:dir`) : root;
      exchange(work, honest, forged);
      work.git('update-index', '-q', '--refresh');
      await expect(dirty(work)).rejects.toMatchObject({ code: 'git-failed' });
    },
  );

  it('is not told by a commit that was exchanged for another', async () => {
    const work = clean();
    const honest = work.git('rev-parse', 'HEAD');
    const forged = work.commit({ 'a.txt': 'evil\n' });
    work.git('update-ref', 'HEAD', honest);
    exchange(work, honest, forged);
    await expect(look(work.folder)).rejects.toMatchObject({ code: 'git-failed' });
  });

  /** Puts the content of one object under the name of another, as anything could that ran before us. */
  function exchange(work: Repository, honest: string, forged: string): void {
    const place = (id: string) => join(work.folder, '.git/objects', id.slice(0, 2), id.slice(2));
    chmodSync(place(honest), 0o644);
    writeFileSync(place(honest), readFileSync(place(forged)));
  }
});

describe('what a checkout must not make us run', () => {
  /** A program that leaves a mark where it was run. */
  function trap(): { program: string; sprung(): boolean } {
    const folder = temporaryFolder();
    const mark = join(folder, 'sprung');
    const program = join(folder, 'trap');
    writeFileSync(program, `#!/bin/sh\necho "$0 $@" >> '${mark}'\nexit 0\n`, { mode: 0o755 });
    return { program, sprung: () => existsSync(mark) };
  }

  async function use(work: Repository): Promise<void> {
    const checkout = await look(work.folder);
    await checkout.dirty([]);
    await checkout.originUrl();
    await checkout.trackedIn('.');
    const history = await openHistory(git, parseRemote(work.folder, { insecureHosts: [], folder: '/' }));
    await history.alsoFrom(checkout.objectFolders);
    await history.tags(history.branch, [checkout.head.id]);
    await history.readFile(checkout.head.id, 'a.txt', 1024);
  }

  it.each<[attack: string, arm: (work: Repository, program: string) => void]>([
    ['fsmonitor', (work, program) => work.git('config', 'core.fsmonitor', program)],
    [
      'fsmonitor as a hook',
      (work, program) => {
        work.git('config', 'core.fsmonitorHookVersion', '2');
        work.git('config', 'core.fsmonitor', `${program} x`);
      },
    ],
    [
      'hooks',
      (work, program) => {
        for (const hook of [
          'post-checkout',
          'post-index-change',
          'reference-transaction',
          'pre-push',
          'post-merge',
        ]) {
          symlinkSync(program, join(work.folder, '.git/hooks', hook));
        }
      },
    ],
    [
      'a folder of hooks',
      (work, program) => {
        const hooks = temporaryFolder();
        for (const hook of ['post-checkout', 'post-index-change', 'reference-transaction', 'pre-push']) {
          symlinkSync(program, join(hooks, hook));
        }
        work.git('config', 'core.hooksPath', hooks);
      },
    ],
    [
      'a filter',
      (work, program) => {
        work.commit({ '.gitattributes': '*.txt filter=evil\n' });
        work.git('config', 'filter.evil.clean', program);
        work.git('config', 'filter.evil.smudge', program);
        work.git('config', 'filter.evil.process', program);
        work.git('config', 'filter.evil.required', 'true');
        writeFileSync(join(work.folder, 'a.txt'), 'changed\n');
      },
    ],
    [
      'LFS as a filter',
      (work, program) => {
        work.git('config', 'filter.lfs.clean', program);
        work.git('config', 'filter.lfs.process', program);
        writeFileSync(join(work.folder, '.git/info/attributes'), '* filter=lfs\n');
        writeFileSync(join(work.folder, 'a.txt'), 'changed\n');
      },
    ],
    [
      'programs for ssh, proxy, askpass, pager, editor, gpg, diff',
      (work, program) => {
        for (const key of [
          'core.sshCommand',
          'core.gitProxy',
          'core.askPass',
          'core.pager',
          'core.editor',
          'gpg.program',
          'diff.external',
          'credential.helper',
          'core.alternateRefsCommand',
          'uploadpack.packObjectsHook',
          'sequence.editor',
          'interactive.diffFilter',
        ]) {
          work.git('config', key, program);
        }
      },
    ],
    [
      'an alias for every command that we use',
      (work, program) => {
        for (const name of [
          'rev-parse',
          'config',
          'for-each-ref',
          'cat-file',
          'ls-tree',
          'ls-files',
          'read-tree',
          'symbolic-ref',
          'clone',
          'init',
        ]) {
          work.git('config', `alias.${name}`, `!${program}`);
        }
      },
    ],
    [
      'a partial clone that fetches what it lacks',
      (work, program) => {
        work.git('config', 'extensions.partialClone', 'origin');
        work.git('config', 'remote.origin.promisor', 'true');
        work.git('config', 'remote.origin.url', `ext::${program}`);
        work.git('config', 'protocol.ext.allow', 'always');
        work.git('config', 'remote.origin.uploadpack', program);
        const blob = work.git('rev-parse', 'HEAD:dir/b.txt');
        rmSync(join(work.folder, '.git/objects', blob.slice(0, 2), blob.slice(2)));
      },
    ],
    [
      'an included file',
      (work, program) => {
        writeFileSync(
          join(work.folder, '.git/evil'),
          `[core]\n\tfsmonitor = ${program}\n\tsshCommand = ${program}\n`,
        );
        work.git('config', 'include.path', 'evil');
      },
    ],
    [
      'a worktree elsewhere',
      (work, program) => {
        work.git('config', 'core.fsmonitor', program);
        work.git('config', 'core.worktree', temporaryFolder());
      },
    ],
    [
      'an index with fsmonitor',
      (work, program) => {
        work.git('update-index', '--fsmonitor');
        work.git('config', 'core.fsmonitor', program);
      },
    ],
    [
      'a submodule with fsmonitor',
      (work, program) => {
        const inner = repository();
        inner.commit({ x: '1' });
        work.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner.folder, 'sub');
        work.commit();
        execFileSync('git', ['config', 'core.fsmonitor', program], { cwd: join(work.folder, 'sub') });
        writeFileSync(join(work.folder, 'sub/x'), '2');
      },
    ],
    [
      'a repository inside with fsmonitor',
      (work, program) => {
        mkdirSync(join(work.folder, 'inner'));
        const inner = repository(join(work.folder, 'inner'));
        inner.commit({ x: '1' });
        inner.git('config', 'core.fsmonitor', program);
      },
    ],
    [
      'a bare repository committed in the tree',
      (work, program) => {
        const bare = join(work.folder, 'dir');
        execFileSync('git', ['init', '-q', '--bare', bare]);
        execFileSync('git', ['config', 'core.fsmonitor', program], { cwd: bare });
        writeFileSync(join(bare, 'refs/heads/.keep'), '');
        work.commit();
      },
    ],
    [
      'the environment of the job',
      (_, program) => {
        Object.assign(process.env, poison(program));
      },
    ],
  ])('%s', async (_, arm) => {
    const work = clean();
    work.git('tag', '1.0.0');
    const { program, sprung } = trap();
    const before = { ...process.env };
    arm(work, program);
    try {
      await use(work).catch((error: { code?: string }) => expect(error.code).toMatch(/^[a-z-]+$/));
      expect(sprung()).toBe(false);
    } finally {
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    }
  });

  it('is what these traps would do to the usual command', () => {
    // The traps themselves work: a plain `git status` springs the first of them.
    const work = clean();
    const { program, sprung } = trap();
    work.git('config', 'core.fsmonitor', program);
    execFileSync('git', ['status', '--porcelain'], { cwd: work.folder, stdio: 'ignore' });
    expect(sprung()).toBe(true);
  });

  /** Variables that make git run things, as another step could write them to the environment of later ones. */
  function poison(program: string): Record<string, string> {
    return {
      GIT_EXTERNAL_DIFF: program,
      GIT_SSH: program,
      GIT_SSH_COMMAND: program,
      GIT_ASKPASS: program,
      GIT_PROXY_COMMAND: program,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.fsmonitor',
      GIT_CONFIG_VALUE_0: program,
      GIT_CONFIG_PARAMETERS: `'core.fsmonitor=${program}'`,
      GIT_TRACE2_EVENT: '1',
      GIT_TEMPLATE_DIR: '/nonexistent',
      GIT_DIR: '/nonexistent',
      GIT_WORK_TREE: '/nonexistent',
      GIT_INDEX_FILE: '/nonexistent',
      GIT_OBJECT_DIRECTORY: '/nonexistent',
      GIT_ALTERNATE_OBJECT_DIRECTORIES: '/nonexistent',
    };
  }
});

describe('where a checkout must not lead us', () => {
  it('a bare repository in the tree is data: the checkout around it is found', async () => {
    const work = clean();
    const bare = join(work.folder, 'vendored');
    execFileSync('git', ['init', '-q', '--bare', bare]);
    expect((await look(bare)).root).toBe(work.folder);
    expect((await look(join(bare, 'refs'))).root).toBe(work.folder);
  });

  it('replace refs and grafts show another history, to others', async () => {
    const work = clean();
    const first = work.git('rev-parse', 'HEAD');
    const second = work.commit({ 'a.txt': '2\n' });
    work.git('tag', '1.0.0', first);
    work.git('replace', first, second);
    work.git('replace', work.git('rev-parse', `${first}^{tree}`), work.git('rev-parse', `${second}^{tree}`));
    const checkout = await look(work.folder);
    expect(checkout.head.id).toBe(second);
    const history = await openHistory(git, parseRemote(work.folder, { insecureHosts: [], folder: '/' }));
    const [tag] = await history.tags(history.branch, []);
    expect(tag?.commit).toBe(first);
    expect(tag?.tree).toBe((await history.commit(first))?.tree);
    expect(tag?.tree).not.toBe((await history.commit(second))?.tree);
  });

  it('insteadOf of the checkout, of the user and of the environment sends us nowhere', async () => {
    const work = clean();
    work.git('tag', '1.0.0');
    const other = repository();
    other.commit();
    other.git('tag', '9.9.9');
    work.git('config', `url.${other.folder}.insteadOf`, work.folder);
    const home = temporaryFolder();
    writeFileSync(join(home, '.gitconfig'), `[url "${other.folder}"]\n\tinsteadOf = ${work.folder}\n`);
    const before = process.env.HOME;
    process.env.HOME = home;
    try {
      const remote = parseRemote(work.folder, { insecureHosts: [], folder: '/' });
      const history = await openHistory(ourGit(), remote);
      expect((await history.tags(history.branch, [])).map(({ name }) => name)).toEqual(['1.0.0']);
    } finally {
      process.env.HOME = before;
    }
  });

  it('names that look like options or commands stay names', async () => {
    const work = clean();
    const tip = work.git('rev-parse', 'HEAD');
    const names = [
      '--upload-pack=touch sprung',
      '-d',
      '--exec=x',
      '$(touch sprung)',
      '`touch sprung`',
      ';touch sprung',
      "a'b",
      'a"b',
      '%(refname)',
      'ü',
      'HEAD',
      'refs/tags/x',
      'x{}',
    ].map((name) => name.replaceAll(' ', '-'));
    for (const name of names) work.git('update-ref', `refs/tags/${name}`, tip);
    const history = await openHistory(git, parseRemote(work.folder, { insecureHosts: [], folder: '/' }));
    const tags = await history.tags(history.branch, [tip]);
    expect(tags.map(({ name }) => name).sort()).toEqual([...names].sort());
    expect(tags.every(({ commit, reachable, ancestor }) => commit === tip && reachable && ancestor)).toBe(
      true,
    );
    expect(readdirSync(work.folder)).not.toContain('sprung');
  });
});
