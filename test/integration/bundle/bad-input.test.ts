import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Ended, makeNotesProject, type NotesProject, runBundle } from '../../../demo/workspace.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { gitEnv } from '../../../sandbox/repositories.ts';

let box: Sandbox;
let made: NotesProject & { image: string; root: string };

beforeAll(async () => {
  box = await sandbox();
  const root = mkdtempSync(join(tmpdir(), 'knowngood-bad-'));
  const image = `${box.registry.host}/bad${process.pid}/notes`;
  made = {
    ...(await makeNotesProject(root, { base: await box.base('busybox'), image, upTo: '1.1.0' })),
    image,
    root,
  };
});

interface Scene {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ref?: string;
  /** What is wrong in the checkout. */
  readonly spoil?: (workspace: string) => void;
}

/** One run in a fresh checkout; with what the checkout, the remote and the registry had before and after it. */
async function run({
  args = ['release'],
  env = {},
  ref = 'refs/tags/1.1.0',
  spoil,
}: Scene): Promise<Ended & { before: string; after: string; workspace: string }> {
  const workspace = await made.checkout(ref);
  spoil?.(workspace);
  const before = state(workspace);
  const ended = await runBundle(
    [...args, '--repository', made.remote, '--ledger', `file:${join(made.root, 'ledger')}`],
    { cwd: workspace, env: { ...box.env, ...env } },
  );
  return { ...ended, before, after: state(workspace), workspace };
}

/** Everything that a refused run must leave as it was. */
function state(workspace: string): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: workspace, env: gitEnv(), encoding: 'utf8' });
  const files = git('ls-files', '-s').concat(git('status', '--porcelain', '--ignored=no'));
  const refs = execFileSync('git', ['--git-dir', made.remote, 'for-each-ref'], {
    env: gitEnv(),
    encoding: 'utf8',
  });
  const ledger = existsSync(join(made.root, 'ledger'))
    ? readdirSync(join(made.root, 'ledger')).join()
    : 'none';
  return createHash('sha256').update([files, refs, ledger].join('\n')).digest('hex');
}

/** A clear error: its code, exit 2, one line that says what to do, and no stack trace. */
function expectError(ended: Ended, code: string, says: RegExp): void {
  expect(ended.output).toMatch(new RegExp(`^error: (?:\\S+:\\d+(?::\\d+)? )?${code}: .+`, 'm'));
  expect(ended.output).toMatch(says);
  expect(ended.output).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
  expect(ended.code).toBe(2);
}

describe('a setting', () => {
  it.each([
    ['an unknown step', { args: ['relase'] }, 'step-unknown', /did you mean `release`/i],
    ['a wrong type', { args: ['promote', '--min-age', 'soon'] }, 'setting-invalid', /min-age/],
    [
      'a wrong choice',
      { args: ['build-push', '--builder', 'kaniko'] },
      'setting-invalid',
      /auto.*engine.*buildx/,
    ],
    ['a map that is none', { args: ['build-push', '--build-args', 'A'] }, 'setting-invalid', /build-args/],
    ['a broken JSON list', { args: ['build-push', '--tags', '["a"'] }, 'setting-invalid', /tags/],
    [
      'a pull request that is no number',
      { args: ['label', '--pull-request', 'x'] },
      'setting-invalid',
      /pull-request/,
    ],
    ['a short candidate', { args: ['label', '--candidate', 'abc'] }, 'setting-invalid', /candidate/],
  ] as const)('%s', async (_name, scene, code, says) => {
    const ended = await run(scene);
    expectError(ended, code, says);
    expect(ended.after).toBe(ended.before);
    // Nothing ran: not even the folder for results was made.
    expect(existsSync(join(ended.workspace, 'knowngood-out'))).toBe(false);
  });

  it('a misspelt one is named with its neighbour, and the run goes on', async () => {
    const { output, code } = await run({ args: ['label', '--build-arg', 'A=1'] });
    expect(output).toMatch(/warning: setting-unknown: .*build-arg.*build-args/);
    expect(code).toBe(0);
  });

  it('a missing one', async () => {
    const plain = await makePlain({ 'README.md': 'no recipe\n' });
    const ended = await runBundle(['label'], { cwd: plain, env: { ...box.env } });
    expectError(ended, 'setting-missing', /--image/);
  });
});

describe('knowngood-out', () => {
  it.each([
    [
      'a link',
      (workspace: string) =>
        symlinkSync(mkdtempSync(join(tmpdir(), 'elsewhere-')), join(workspace, 'knowngood-out')),
      'workspace-seeded',
    ],
    [
      'a file',
      (workspace: string) => writeFileSync(join(workspace, 'knowngood-out'), ''),
      'workspace-seeded',
    ],
    [
      'a folder of somebody else',
      (workspace: string) => {
        mkdirSync(join(workspace, 'knowngood-out', 'notes'), { recursive: true });
        writeFileSync(join(workspace, 'knowngood-out', 'notes', 'dossier.json'), '{}');
      },
      'workspace-seeded',
    ],
    [
      // It says of itself that it is of this run, which a pull request can know in a terminal.
      'a folder that the repository brings',
      (workspace: string) => {
        const out = join(workspace, 'knowngood-out');
        mkdirSync(out);
        const id = `terminal-${createHash('sha256').update(workspace).digest('hex').slice(0, 12)}`;
        writeFileSync(join(out, 'run.json'), `${JSON.stringify({ schema: 'knowngood/run/v1', id })}\n`);
        for (const args of [
          ['add', '-f', 'knowngood-out'],
          ['commit', '-q', '-m', 'seeded'],
        ])
          execFileSync('git', args, { cwd: workspace, env: gitEnv() });
      },
      'workspace-seeded',
    ],
  ] as const)('%s', async (_name, spoil, code) => {
    expectError(await run({ args: ['label'], spoil }), code, /knowngood-out/);
  });

  it.each([
    ['above the workspace', '../dossier.json', () => undefined],
    ['anywhere', join(tmpdir(), 'knowngood-dossier.json'), () => undefined],
    [
      'behind a link of the checkout',
      'elsewhere/dossier.json',
      (workspace: string, elsewhere: string) => symlinkSync(elsewhere, join(workspace, 'elsewhere')),
    ],
  ] as const)('a dossier that is to be %s is not written', async (_name, path, plant) => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
    const ended = await run({
      args: ['label', '--dossier', path],
      spoil: (workspace) => plant(workspace, elsewhere),
    });
    expectError(ended, 'path-outside', /dossier/);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(existsSync(join(ended.workspace, path))).toBe(false);
  });

  it('a broken dossier', async () => {
    const workspace = await made.checkout('refs/tags/1.1.0');
    const args = ['label', '--repository', made.remote];
    expect((await runBundle(args, { cwd: workspace, env: { ...box.env } })).code).toBe(0);
    writeFileSync(
      join(workspace, 'knowngood-out', 'notes', 'dossier.json'),
      '{"schema": "knowngood/dossier/v1"',
    );
    expectError(await runBundle(args, { cwd: workspace, env: { ...box.env } }), 'dossier-invalid', /dossier/);
  });
});

describe('what is not there', () => {
  it('no engine', async () => {
    const ended = await run({ args: ['label,build-push', '--docker-host', 'unix:///nowhere.sock'] });
    expectError(ended, 'engine-unreachable', /nowhere\.sock/);
    expect(ended.after).toBe(ended.before);
  });

  it('no registry', async () => {
    const ended = await run({
      args: ['label,build-push', '--image', '127.0.0.1:9/gone/notes'],
      ref: 'refs/tags/1.0.0',
    });
    expectError(ended, 'registry-unreachable', /127\.0\.0\.1:9/);
  });

  it('wrong credentials are told within one try, and the password is not', async () => {
    const guarded = await box.startRegistry({ auth: 'htpasswd' });
    try {
      const ended = await run({
        args: ['label,build-push', '--image', `${guarded.host}/a/notes`, '--registry-username', 'robin'],
        env: { KNOWNGOOD_REGISTRY_PASSWORD: 'wrong-secret' },
      });
      expectError(ended, 'registry-denied', /credential|password/i);
      expect(ended.output).not.toContain('wrong-secret');
    } finally {
      await guarded.stop();
    }
  });

  it('no git checkout', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'knowngood-none-'));
    const ended = await runBundle(['label', '--image', 'a/b'], { cwd: folder, env: { ...box.env } });
    expect(ended.output).toMatch(/^error: [a-z-]+: .*(git|repository)/m);
    expect(ended.code).toBe(2);
  });

  it('a repository without a commit', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'knowngood-empty-'));
    execFileSync('git', ['init', '-q', '-b', 'main', folder], { env: gitEnv() });
    const ended = await runBundle(['label', '--image', 'a/b'], { cwd: folder, env: { ...box.env } });
    expectError(ended, 'candidate-unknown', /commit/);
  });
});

describe('a recipe', () => {
  it('with a configuration that is no YAML', async () => {
    const folder = await makePlain({
      Dockerfile: 'FROM scratch\n',
      'knowngood.yml': 'recipe: a\n  image: [\n',
    });
    const ended = await runBundle(['label', '--image', 'a/b'], { cwd: folder, env: { ...box.env } });
    expectError(ended, 'config-invalid', /knowngood\.yml:\d+:\d+/);
  });

  it('with an unknown key in its configuration', async () => {
    const folder = await makePlain({
      Dockerfile: 'FROM scratch\n',
      'knowngood.yml': 'recipe: a\nimages: a/b\n',
    });
    const ended = await runBundle(['label', '--image', 'a/b'], { cwd: folder, env: { ...box.env } });
    expectError(ended, 'config-invalid', /knowngood\.yml:2:1.*`images`.*did you mean `image`/);
  });

  it('with a Dockerfile that fails to build pushes nothing', async () => {
    const folder = await makePlain({
      Dockerfile: `FROM ${await box.base('busybox')}\nRUN echo no such thing; exit 7\n`,
    });
    const image = `${box.registry.host}/bad${process.pid}/failing`;
    const ended = await runBundle(['label,build-push', '--image', image, '--push', 'always'], {
      cwd: folder,
      env: { ...box.env },
    });
    expectError(ended, 'build-failed', /no such thing/);
    const tags = await fetch(`http://${box.registry.host}/v2/bad${process.pid}/failing/tags/list`);
    expect(tags.status).toBe(404);
  });

  it('without tags cannot be released, and says what to do', async () => {
    const folder = await makePlain({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    const ended = await runBundle(['step-back', '--image', 'a/b', '--version', '1.0.0'], {
      cwd: folder,
      env: { ...box.env },
    });
    expect(ended.output).toMatch(/^knowngood: step-back done no-release$/m);
    expect(ended.code).toBe(0);
  });

  it('in a shallow and tagless clone has the answers of the whole repository', async () => {
    const { output, code } = await run({ args: ['step-back'] });
    // Nothing was pushed for 1.0.0 here; that it is known, and why it is no base, is what the clone alone could not say.
    expect(output).toMatch(/1\.0\.0 +base-image-missing/);
    expect(code).toBe(0);
  });
});

/** A repository of its own with one commit. */
async function makePlain(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'knowngood-plain-'));
  for (const [path, content] of Object.entries(files)) writeFileSync(join(folder, path), content);
  const git = (...args: string[]): Buffer => execFileSync('git', args, { cwd: folder, env: gitEnv() });
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-q', '-m', 'first');
  return folder;
}

it('every error names a code that the documentation explains', () => {
  const documented = readFileSync(new URL('../../../docs/reasons.md', import.meta.url), 'utf8');
  for (const code of [
    'step-unknown',
    'setting-invalid',
    'workspace-seeded',
    'engine-unreachable',
    'config-invalid',
  ])
    expect(documented).toContain(`\`${code}\``);
});
