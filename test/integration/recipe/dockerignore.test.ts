import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { sandbox } from '../../../sandbox/index.ts';
import { createEngine } from '../../../src/engine/create-engine.ts';
import { systemClock } from '../../../src/http/clock.ts';
import { run } from '../build-push/project.ts';
import { filesOfTar, type ImageFiles } from './image-files.ts';

// The judge is the Docker command line itself: the same context, built by it and by us, file by file.
const box = await sandbox();
const docker = await box.tool('docker');
await box.tool('docker-buildx');
const engine = await createEngine({
  dockerHost: box.dockerHost,
  env: {},
  clock: systemClock,
  signal: new AbortController().signal,
});

const paths = [
  ...['a.txt', 'b.txt', 'ab.txt', 'b.md', 'README.md', 'readme.md', '.env', '.hidden/x', 'no-ending'],
  ...['dir/a.txt', 'dir/b.md', 'dir/.env', 'dir/sub/a.txt', 'dir/sub/secret.key', 'dir/sub/deep/keep.txt'],
  ...['dir2/a.txt', 'other/a.txt', 'other/dir/a.txt', 'a/b', 'ax/y/b', 'axb'],
  ...['node_modules/p/index.js', 'dir/node_modules/q/index.js', 'docker/Dockerfile', 'docker/app.Dockerfile'],
  ...[
    'sp ace/fi le.txt',
    ' leading',
    'trailing ',
    'tab\there',
    'ünï/cödé.txt',
    'cafe\u0301.txt',
    'caf\u00e9.txt',
  ],
  ...[
    '😀.txt',
    'c++/x.cpp',
    'c/x.cpp',
    '(1)/x',
    '{x}',
    '^z',
    '$d',
    'e|f',
    '#hash',
    '!bang',
    '[b]/x',
    'star*x',
  ],
  ...['starrx', 'back\\slash', 'constructor', '__proto__', 'toString', '-dash', '~tilde', 'UPPER/a.txt'],
];
const build = 'FROM scratch\nCOPY . /ctx/\n';

interface Case {
  readonly rules?: string | Buffer;
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly dockerfile?: string;
  readonly prepare?: (folder: string) => void;
}

function contextOf({ rules, files = {}, dockerfile = 'Dockerfile' }: Case): Record<string, string | Buffer> {
  const many = Object.fromEntries(paths.map((path) => [path, `content of ${path}\n`] as const));
  return {
    ...many,
    [dockerfile]: build,
    ...(rules === undefined ? {} : { '.dockerignore': rules }),
    ...files,
  };
}

/** What the command line's build puts into the image. */
async function theirs(given: Case): Promise<ImageFiles> {
  const folder = mkdtempSync(join(tmpdir(), 'kg-ignore-'));
  try {
    for (const [path, content] of Object.entries(contextOf(given))) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    given.prepare?.(folder);
    const args = ['buildx', 'build', '-q', '-f', join(folder, given.dockerfile ?? 'Dockerfile')];
    const child = spawn(docker, [...args, '--output=type=tar,dest=-', folder], {
      env: { ...box.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const files = await filesOfTar(child.stdout, 'ctx/');
    if ((await ended) !== 0) throw new Error(said);
    // These two are ours alone to leave out.
    const ours = Object.entries(files).filter(
      ([path]) => !/(?:^|\/)(?:\.git|knowngood-out)(?:\/|$)/.test(path),
    );
    return Object.fromEntries(ours);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let number = 0;

/** What label and build-push put into the image. */
async function ours(given: Case): Promise<ImageFiles> {
  const { image, failure, log } = await run({
    image: `${box.registry.host}/ignore/app-${process.pid}-${number++}`,
    dockerHost: box.dockerHost,
    files: contextOf(given),
    ...(given.prepare ? { prepare: given.prepare } : {}),
    settings: { push: 'never', ...(given.dockerfile ? { dockerfile: given.dockerfile } : {}) },
  });
  if (image?.imageId === undefined) throw new Error(`${failure?.message}\n${log}`);
  const container = await engine.docker.createContainer({ Image: image.imageId, Cmd: ['/none'] });
  try {
    const archive = await container.getArchive({ path: '/ctx' });
    return await filesOfTar(Readable.from(archive), 'ctx/');
  } finally {
    await container.remove();
  }
}

const cases: [string, Case][] = [
  ['no ignore file', {}],
  ['an empty one', { rules: '' }],
  ['a name', { rules: 'a.txt' }],
  ['a slash in front', { rules: '/a.txt' }],
  ['a dot in front', { rules: './a.txt' }],
  ['a folder', { rules: 'dir' }],
  ['a slash behind', { rules: 'dir/\n' }],
  ['a slash behind a file', { rules: 'a.txt/\n' }],
  ['what is in a folder', { rules: 'dir/*' }],
  ['what is below a folder', { rules: 'dir/**' }],
  ['one level', { rules: '*/a.txt' }],
  ['any level', { rules: '**/a.txt' }],
  ['any level below', { rules: 'dir/**/a.txt' }],
  ['an ending here', { rules: '*.md' }],
  ['an ending anywhere', { rules: '**/*.md' }],
  ['an ending anywhere, short', { rules: '**.md' }],
  ['two stars in a word', { rules: 'a**b' }],
  ['any level of a folder', { rules: '**/node_modules' }],
  ['any level of a folder, with a slash', { rules: '**/node_modules/' }],
  ['everything', { rules: '*' }],
  ['everything, twice', { rules: '**' }],
  ['everything but one', { rules: '*\n!a.txt' }],
  ['everything but a folder', { rules: '**\n!dir/sub' }],
  ['everything but an ending', { rules: '*\n!**/*.md' }],
  ['a folder but a folder in it', { rules: 'dir\n!dir/sub' }],
  ['a folder but a file deep in it', { rules: 'dir\n!dir/sub/deep/keep.txt' }],
  ['a folder, back, and out again', { rules: 'dir\n!dir/sub\ndir/sub/secret.key' }],
  ['back before it is out', { rules: '!a.txt\na.txt' }],
  ['back after it is out', { rules: 'a.txt\n!a.txt' }],
  ['back from an ignored node_modules', { rules: 'node_modules\n!node_modules/p/index.js' }],
  ['comments', { rules: '# a.txt\n#hash\nb.md # no comment' }],
  ['a # after a space', { rules: ' #hash' }],
  ['an escaped #', { rules: '\\#hash' }],
  ['an escaped !', { rules: '\\!bang' }],
  ['a ! after a space', { rules: '*\n ! a.txt ' }],
  ['a byte order mark', { rules: '\ufeffa.txt\nb.md' }],
  ['a byte order mark before a comment', { rules: '\ufeff# x\nb.md' }],
  ['CRLF', { rules: 'dir\r\n!dir/sub\r\n*.md\r\n' }],
  ['spaces and tabs around', { rules: '  a.txt \t\n\tdir \n\n   \n' }],
  ['spaces inside', { rules: 'sp ace/fi le.txt' }],
  ['a name that ends with a space', { rules: 'trailing \n leading' }],
  ['letters beyond ASCII', { rules: 'ünï' }],
  ['the same letter, composed and not', { rules: 'caf\u00e9.txt' }],
  ['one character', { rules: '?.txt' }],
  ['a class', { rules: '[a-b].txt' }],
  ['not in a class', { rules: '[^a]*.txt' }],
  ['a class of one', { rules: '[[]b]' }],
  ['an escaped star', { rules: 'star\\*x' }],
  ['a star', { rules: 'star*x' }],
  ['a backslash', { rules: 'back\\\\slash' }],
  ['signs of regular expressions', { rules: 'c++\n(1)\n{x}\n^z\n$d\ne|f' }],
  ['dots', { rules: 'dir/sub/../a.txt\n.//b.md' }],
  ['a climb', { rules: '../a.txt\n/../b.md' }],
  ['the folder itself', { rules: '.' }],
  ['names with a dot', { rules: '.*' }],
  ['names with a dot, anywhere', { rules: '**/.*' }],
  ['upper and lower case', { rules: 'readme.md\nupper' }],
  ['names that JavaScript has', { rules: 'constructor\n__proto__' }],
  ['names that look like options', { rules: '-dash\n~tilde' }],
  ['an ignored Dockerfile', { rules: 'Dockerfile' }],
  ['an ignored Dockerfile and ignore file', { rules: 'Dockerfile\n.dockerignore' }],
  ['Dockerfiles ignored at any level', { rules: '**/Dockerfile*\n**/*.Dockerfile' }],
  [
    'an ignore file of the Dockerfile alone',
    { rules: 'a.txt', files: { 'Dockerfile.dockerignore': 'b.md\ndir' } },
  ],
  [
    'a Dockerfile in a folder with an ignore file of its own',
    {
      dockerfile: 'docker/app.Dockerfile',
      rules: 'a.txt',
      files: { 'docker/app.Dockerfile.dockerignore': 'docker\n!docker/Dockerfile\n*.md\n.dockerignore' },
    },
  ],
  ['a Dockerfile of another name', { dockerfile: 'docker/app.Dockerfile', rules: '*.md\nDockerfile' }],
  [
    'links: to a file, to a folder, to nothing, to the outside, to itself',
    {
      rules: '*.md',
      prepare: (folder) => {
        symlinkSync('a.txt', join(folder, 'to-file'));
        symlinkSync('dir/sub', join(folder, 'to-folder'));
        symlinkSync('nowhere', join(folder, 'to-nothing'));
        symlinkSync('/etc/hostname', join(folder, 'to-outside'));
        symlinkSync('../../etc', join(folder, 'dir/climbs'));
        symlinkSync('itself', join(folder, 'itself'));
      },
    },
  ],
  [
    'ignored links, and ignored targets of links',
    {
      rules: 'to-file\nto-folder/**\ndir/sub',
      prepare: (folder) => {
        symlinkSync('a.txt', join(folder, 'to-file'));
        symlinkSync('dir/sub', join(folder, 'to-folder'));
        symlinkSync('dir/sub/secret.key', join(folder, 'to-secret'));
      },
    },
  ],
  [
    'files that can be run',
    { rules: 'a.txt', prepare: (folder) => chmodSync(join(folder, 'dir/a.txt'), 0o755) },
  ],
  [
    'a repository and our own folder, which no rule brings back',
    {
      rules: '*.md\n!.git\n!.git/**\n!**/.git/config\n!knowngood-out\n!knowngood-out/**',
      files: {
        '.git/config': 'token',
        '.git/HEAD': 'ref',
        'dir/.git/config': 'token',
        'dir/sub/.git': 'gitdir: ../../.git/modules/sub',
        'dir/knowngood-out/app/dossier.json': '{}',
        '.gitignore': 'x',
        'git/x': 'x',
      },
    },
  ],
];

describe('the files that reach the image are those of the Docker command line', () => {
  it.concurrent.each(cases)('%s', async (_, given) => {
    const [their, our] = await Promise.all([theirs(given), ours(given)]);
    expect(our).toEqual(their);
    expect(Object.keys(our).filter((path) => /(?:^|\/)(?:\.git|knowngood-out)(?:\/|$)/.test(path))).toEqual(
      [],
    );
  });

  it('an ignored Dockerfile stays out where another ignore file reaches the image', async () => {
    const dockerfile = 'docker/app.Dockerfile';
    const files = { [`${dockerfile}.dockerignore`]: 'docker\n' };
    const given = { dockerfile, rules: 'a.txt', files };
    const [their, our] = await Promise.all([theirs(given), ours(given)]);
    // Engines before 28.5 can leave it out only by a line more in the other file.
    expect(Object.keys(our)).toEqual(Object.keys(their));
  });

  it('is asked of enough cases', () => {
    expect(cases.length).toBeGreaterThanOrEqual(40);
  });
});
