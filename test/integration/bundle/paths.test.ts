import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { runBundle } from '../../../demo/workspace.ts';
import { gitEnv } from '../../../sandbox/repositories.ts';

const SECRET = 'root-only-0123456789: [{';
const digest = `sha256:${'0'.repeat(64)}`;

/** A checkout, and beside it a file and a folder that are nobody's business. */
function scene(files: Readonly<Record<string, string>>): { workspace: string; outside: string } {
  const root = mkdtempSync(join(tmpdir(), 'knowngood-paths-'));
  const workspace = join(root, 'work');
  const outside = join(root, 'outside');
  mkdirSync(outside);
  for (const name of ['shadow', 'Dockerfile', 'result.json']) writeFileSync(join(outside, name), SECRET);
  mkdirSync(join(outside, 'app'));
  writeFileSync(join(outside, 'app', 'result.json'), SECRET);
  const all = { Dockerfile: 'FROM scratch\nCOPY a.txt /\n', 'a.txt': 'a\n', ...files };
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), content);
  }
  symlinkSync(outside, join(workspace, 'linked'));
  symlinkSync(join(outside, 'shadow'), join(workspace, 'shadow'));
  const git = (...args: string[]): Buffer => execFileSync('git', args, { cwd: workspace, env: gitEnv() });
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-q', '-m', 'first');
  git('tag', '1.0.0');
  return { workspace, outside };
}

const label = ['label', '--image', 'registry.example/app'];
const verify = ['verify', '--image-ref', `registry.example/app@${digest}`];
const fleet = 'recipes:\n  - { recipe: app, repository: ., config: CONFIG }\n';
const sweep = ['sweep', '--ledger-init', '--ledger', 'file:../ledger'];
const config = (text: string) => ({ 'knowngood.yml': text });

/** Every setting and key that names a file: a link, a linked folder on the way, a climb, an absolute path. */
const rows: [string, readonly string[], Readonly<Record<string, string>>][] = [
  ...['linked', '../outside', join(tmpdir())].map((path): (typeof rows)[number] => [
    `context ${path}`,
    [...label, '--context', path],
    {},
  ]),
  ...['shadow', 'linked/Dockerfile', '../outside/Dockerfile', '/etc/passwd'].flatMap((path): typeof rows => [
    [`dockerfile ${path}`, [...label, '--dockerfile', path], {}],
    [`policy ${path}`, [...verify, '--policy', path], {}],
    [`fleet ${path}`, ['sweep', '--fleet', path], {}],
    [`config ${path}`, [...label, '--config', path], {}],
    [
      `fleet's config ${path}`,
      [...sweep, '--fleet', 'fleet.yml'],
      { 'fleet.yml': fleet.replace('CONFIG', path) },
    ],
    [
      `version file ${path}`,
      ['label', '--image', 'registry.example/app'],
      config(`version: { from: { file: { path: ${path}, key: version } } }\nreleases: { tags: "no-*" }\n`),
    ],
    [`compose-file ${path}`, ['label'], config(`test: { deploy: compose, compose-file: [${path}] }\n`)],
    [`pins ${path}`, ['drift', '--checks', 'pins', '--pins', path], {}],
  ]),
  ...['linked', '../outside'].map((path): (typeof rows)[number] => [
    `collect ${path}`,
    [...sweep, '--fleet', 'fleet.yml', '--collect', path],
    { 'fleet.yml': 'recipes:\n  - { recipe: app, repository: . }\n' },
  ]),
];

it.each(rows)('%s leads nowhere, and nothing of what is there is shown', async (_, args, files) => {
  const { workspace } = scene(files);
  const { output, code } = await runBundle(args, {
    cwd: workspace,
    env: { PATH: process.env.PATH ?? '', HOME: dirname(workspace) },
  });
  expect(output).toMatch(/path-outside/);
  expect(output).not.toContain('root-only');
  expect(output).not.toContain('root:');
  expect(code).toBe(2);
});

it('a board elsewhere is refused before any recipe is looked at', async () => {
  const { workspace, outside } = scene({ 'fleet.yml': 'recipes:\n  - { recipe: app, repository: . }\n' });
  for (const path of ['linked/board.html', '../outside/board.html', join(outside, 'board.html')]) {
    const { output, code } = await runBundle([...sweep, '--fleet', 'fleet.yml', '--board', path], {
      cwd: workspace,
      env: { PATH: process.env.PATH ?? '', HOME: dirname(workspace) },
    });
    expect(output).toContain('path-outside');
    expect(output).not.toMatch(/^app: /m);
    expect(code).toBe(2);
  }
  expect(existsSync(join(outside, 'board.html'))).toBe(false);
});
