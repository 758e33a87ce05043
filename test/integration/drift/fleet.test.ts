import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { makeRepository } from '../../../sandbox/repositories.ts';
import { codes, makeScene, runDrift, type Scene } from './world.ts';

let box: Sandbox;
const scenes: Scene[] = [];
beforeAll(async () => {
  box = await sandbox();
});
afterEach(() => {
  for (const scene of scenes.splice(0)) scene.stop();
});

/** A fleet of two recipes; the second is a mirror. */
async function fleet(): Promise<{ home: Scene; app: Scene; mirror: Scene; upstream: string }> {
  const [home, app, mirror] = await Promise.all(
    ['home', 'app', 'mirror'].map(async (name) => makeScene(box.registry.host, name)),
  );
  scenes.push(home!, app!, mirror!);
  await app!.release('1.0.0');
  await mirror!.release('1.0.0');
  const upstream = join(mirror!.root, 'upstream');
  await mirror!.repository.git('clone', '-q', mirror!.repository.path, upstream);
  await home!.repository.commit('fleet', {
    'fleet.yml': [
      'recipes:',
      `  - { recipe: app, repository: "${app!.repository.path}", image: "${app!.image}" }`,
      `  - { recipe: mirror, repository: "${mirror!.repository.path}", image: "${mirror!.image}", mirror-of: "${upstream}" }`,
      '',
    ].join('\n'),
  });
  return { home: home!, app: app!, mirror: mirror!, upstream };
}

/** The upstream as somebody else works on it. */
async function upstreamOf(path: string) {
  const made = await makeRepository(path);
  return made;
}

const checks = { checks: 'release,canonical,mirror', fleet: 'fleet.yml' };

function settingsOf(home: Scene): Record<string, string> {
  return { ...checks, recipe: '', image: '', repository: home.repository.path };
}

describe('a fleet', () => {
  it('is looked at in one run: each recipe by its own repository and image', async () => {
    const { home, app } = await fleet();
    const clean = await runDrift(home, settingsOf(home));
    expect(codes(clean)).toEqual(['new-release']);
    await app.release('1.1.0', { unpublished: true });
    const run = await runDrift(home, settingsOf(home));
    const [found] = run.findings.filter(({ code }) => code === 'unpublished-release');
    expect(found?.message).toMatch(/^app: The release 1\.1\.0/);
    expect(found?.at).toEqual({ file: 'fleet.yml', line: 2, column: 5 });
  });

  it('has mirrors compared with their upstream', async () => {
    const { home, upstream } = await fleet();
    const theirs = await upstreamOf(upstream);
    await theirs.commit('more');
    await theirs.tag('1.1.0');
    const run = await runDrift(home, settingsOf(home));
    expect(run.findings.filter(({ code }) => code === 'mirror-behind')).toHaveLength(2);
    expect(run.result?.outcome).toBe('done');
    await theirs.git('tag', '-f', '1.0.0');
    const moved = await runDrift(home, settingsOf(home));
    expect(codes(moved)).toContain('mirror-diverged');
    expect(moved.result?.outcome).toBe('refused');
  });

  it('with an upstream that is gone is an error, and the others are still told', async () => {
    const { home, app, upstream } = await fleet();
    await app.release('1.1.0', { unpublished: true });
    writeFileSync(join(upstream, '.git', 'HEAD'), 'broken');
    const run = await runDrift(home, settingsOf(home));
    expect(codes(run)).toContain('cannot-determine');
    expect(codes(run)).toContain('unpublished-release');
    expect(run.result?.outputs['drift-verdict']).toBe('error');
  });

  it('is not looked at for a pull request: its addresses would be anybody’s', async () => {
    const { home } = await fleet();
    await home.release('1.0.0');
    const head = await home.repository.git('rev-parse', 'HEAD');
    const event = {
      kind: 'pull-request' as const,
      pullRequest: { number: 1, head, base: 'main', fork: true },
    };
    const run = await runDrift(home, { fleet: 'fleet.yml', image: home.image }, { event });
    expect(run.log).toContain('The fleet is not looked at');
    expect(run.result?.outcome).toBe('done');
  });
});
