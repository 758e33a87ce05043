import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pluginJob } from '../bundle/ci-job.ts';
import { temporaryFolder } from '../git/repository.ts';
import { composeFile, eventIn, makeWorld, type World } from './world.ts';

const released = '3.0.1+v2.0.0';
const base = '3.0.0+v2.0.0';
let world: World;
beforeAll(async () => {
  world = await makeWorld();
  await world.promote(released);
});
afterAll(() => world.stop());

/** A program that leaves a mark where it was run. */
function trap(): { program: string; sprung(): boolean } {
  const folder = temporaryFolder();
  const mark = join(folder, 'sprung');
  const program = join(folder, 'trap');
  writeFileSync(program, `#!/bin/sh\ntouch '${mark}'\n`, { mode: 0o755 });
  return { program, sprung: () => existsSync(mark) };
}

function ask(workspace: string, more: Record<string, string> = {}) {
  const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent' };
  return pluginJob('drone-push', workspace, env, {
    ...eventIn(world, 'drone-push', { commit: world.commits.tip }),
    DRONE_WORKSPACE: workspace,
    ...more,
  }).step({ step: 'step-back' });
}

describe('step-back in a checkout that other steps could write', () => {
  it('runs nothing of it and believes nothing of it', async () => {
    const { program, sprung } = trap();
    const workspace = world.checkout(world.commits.tip);
    const git = (...args: string[]) => execFileSync('git', args, { cwd: workspace, stdio: 'pipe' });
    // Another repository, with tags that would be chosen.
    const evil = await makeWorld();
    try {
      git('config', 'core.fsmonitor', program);
      git('config', 'core.sshCommand', program);
      git('config', 'core.gitProxy', program);
      git('config', 'credential.helper', `!${program}`);
      git('config', 'uploadpack.packObjectsHook', program);
      git('config', 'remote.origin.uploadpack', program);
      git('config', 'filter.x.clean', program);
      git('config', 'filter.x.smudge', program);
      git('config', 'filter.x.process', program);
      git('config', `url.${evil.url}.insteadOf`, world.url);
      writeFileSync(join(workspace, '.git', 'info', 'attributes'), '* filter=x diff=x\n');
      const hooks = join(workspace, '.git', 'hooks');
      mkdirSync(hooks, { recursive: true });
      for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change', 'pre-auto-gc'])
        symlinkSync(program, join(hooks, hook));
      writeFileSync(join(workspace, '.git', 'refs', 'tags', '3.0.0+v9.9.9'), `${world.commits.tip}\n`);
      appendFileSync(join(workspace, '.git', 'packed-refs'), `${world.commits.tip} refs/tags/2.9.9\n`);
      const { code, output, outputs } = await ask(workspace, {
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'core.fsmonitor',
        GIT_CONFIG_VALUE_0: program,
        GIT_SSH_COMMAND: program,
        GIT_ASKPASS: program,
        GIT_EXTERNAL_DIFF: program,
        GIT_DIR: '/nonexistent',
        GIT_OBJECT_DIRECTORY: '/nonexistent',
      });
      expect(sprung()).toBe(false);
      expect([code, outputs.KNOWNGOOD_UPGRADE_BASE_TAG], output).toEqual([0, base]);
      expect(outputs.KNOWNGOOD_UPGRADE_BASE_COMMIT).toBe(world.commits.tags[base]);
      expect(evil.server.requests).toEqual([]);
    } finally {
      await evil.stop();
    }
  });

  it('is not led astray by a bare repository that is committed in the tree', async () => {
    const { program, sprung } = trap();
    const { author } = world;
    author.git('checkout', '-q', '-B', 'vendored', world.commits.tip);
    const bare = join(author.folder, 'vendored');
    execFileSync('git', ['init', '-q', '--bare', bare]);
    execFileSync('git', ['config', 'core.fsmonitor', program], { cwd: bare });
    writeFileSync(join(bare, 'refs', 'heads', '.keep'), '');
    writeFileSync(join(bare, 'objects', '.keep'), '');
    const commit = author.commit({ 'vendored/compose.yml': composeFile(released) });
    author.git('checkout', '-q', 'main');
    author.git('push', '-q', 'origin', `${commit}:refs/heads/vendored`);
    const workspace = world.checkout(commit);
    const { outputs, output } = await ask(workspace, { PLUGIN_CONTEXT: 'vendored' });
    expect(sprung()).toBe(false);
    // Seen from the bare repository there would be no commit and no release at all.
    expect([outputs.KNOWNGOOD_REASON, outputs.KNOWNGOOD_UPGRADE_BASE_TAG], output).toEqual([
      'samever-step-back',
      base,
    ]);
  });
});

describe('names that somebody pushed', () => {
  it('are data in every sink, and change no answer', async () => {
    const { author, commits } = world;
    const names = [
      '--upload-pack=touch-sprung',
      "';touch${IFS}sprung;'",
      '$(touch${IFS}sprung)',
      '##set-env',
      '3.0.0+v2.0.0.lock2',
      '<img|src=x>`@team`',
      'v3.0.0+2.0.0',
    ];
    for (const name of names.slice(0, -1)) author.git('update-ref', `refs/tags/${name}`, commits.tip);
    // Another spelling of 3.0.0 on the same commit is one release.
    author.git('update-ref', `refs/tags/${names.at(-1)}`, commits.tags[base]!);
    author.git('push', '-q', 'origin', ...names.map((name) => `refs/tags/${name}:refs/tags/${name}`));
    const workspace = world.checkout(commits.tip);
    const { code, outputs, output } = await ask(workspace);
    expect([code, outputs.KNOWNGOOD_UPGRADE_BASE_COMMIT], output).toEqual([0, commits.tags[base]]);
    const rejected = JSON.parse(outputs.KNOWNGOOD_REJECTED!) as { tag: string }[];
    expect(rejected.map(({ tag }) => tag)).toContain("';touch${IFS}sprung;'");
    execFileSync('/bin/sh', ['-c', '. ./knowngood-out/outputs.env'], { cwd: workspace });
    expect(existsSync(join(workspace, 'sprung'))).toBe(false);
    expect(output).not.toMatch(/^::/m);
  });

  it('cannot make a release unusable by spelling it again on another commit, without being told', async () => {
    const { author, commits } = world;
    author.git('update-ref', 'refs/tags/v2.1.0+1.5.1', commits.tip);
    author.git('push', '-q', 'origin', 'refs/tags/v2.1.0+1.5.1');
    const { outputs } = await ask(world.checkout(commits.tip));
    const rejected = JSON.parse(outputs.KNOWNGOOD_REJECTED!);
    expect(rejected).toContainEqual({ tag: '2.1.0+v1.5.1', reason: 'tag-ambiguous' });
    expect(rejected).toContainEqual({ tag: 'v2.1.0+1.5.1', reason: 'tag-ambiguous' });
  });
});
