import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { pluginJob, type StepEnd } from '../bundle/ci-job.ts';
import { eventIn, makeWorld, type World } from './world.ts';

const released = '3.0.1+v2.0.0';
const before = '3.0.0+v2.0.0';
const good = '2.1.0+v1.5.1';

let box: Sandbox;
let crane: string;
let base: string;
let images = 0;
const worlds: World[] = [];
beforeAll(async () => {
  box = await sandbox();
  crane = await box.tool('crane');
  base = await box.base('busybox');
});
afterAll(async () => {
  for (const world of worlds) await world.stop();
});

const run = (...args: string[]): string =>
  execFileSync(crane, args, { env: box.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** An image of its own content under a tag of a real registry, by another client; its digest. */
function put(image: string, tag: string, content = tag): Digest {
  run('mutate', base, '--insecure', '--label', `content=${content}`, '-t', `${image}:${tag}`);
  return run('digest', '--insecure', `${image}:${tag}`) as Digest;
}

async function project(): Promise<{ world: World; image: string; ask(image?: string): Promise<StepEnd> }> {
  const image = `${box.registry.host}/step-back${process.pid}/app${++images}`;
  const world = await makeWorld('recipe: plausible\n');
  worlds.push(world);
  return {
    world,
    image,
    ask: async (other = image) => {
      const commit = world.commits.tip;
      const workspace = world.checkout(commit);
      const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent' };
      return pluginJob('woodpecker-push', workspace, env, {
        ...eventIn(world, 'woodpecker-push', { commit }),
        CI_WORKSPACE: workspace,
      }).step({ step: 'step-back', image: other, version: '3.0.2+v2.0.0' });
    },
  };
}

describe("the base's image, in a real registry", () => {
  it('is the digest that was promoted, although its tag was moved since', async () => {
    const { world, image, ask } = await project();
    const digest = put(image, '3.0.1_v2.0.0', 'promoted');
    await world.promote(released, {
      subject: { kind: 'image', image, digest, platforms: { 'linux/amd64': digest }, tested: [] },
    });
    expect(put(image, '3.0.1_v2.0.0', 'moved')).not.toBe(digest);
    const { outputs, output } = await ask();
    expect(outputs.KNOWNGOOD_UPGRADE_BASE_REF, output).toBe(`${image}@${digest}`);
    expect(outputs.KNOWNGOOD_REASON).toBe('canonical');
  });

  it('is what the version tag shows, without a canonical', async () => {
    const { image, ask } = await project();
    const digest = put(image, '3.0.1_v2.0.0');
    const { outputs } = await ask();
    expect(outputs.KNOWNGOOD_UPGRADE_BASE_REF).toBe(`${image}@${digest}`);
    expect(outputs.KNOWNGOOD_REASON).toBe('previous-release');
  });

  it('that is gone makes the next older release the base', async () => {
    const { image, ask } = await project();
    const digest = put(image, '2.1.0_v1.5.1');
    const { outputs, output } = await ask();
    expect(outputs.KNOWNGOOD_UPGRADE_BASE_TAG).toBe(good);
    expect(outputs.KNOWNGOOD_UPGRADE_BASE_REF).toBe(`${image}@${digest}`);
    const rejected = JSON.parse(outputs.KNOWNGOOD_REJECTED!);
    for (const tag of [released, before])
      expect(rejected).toContainEqual({ tag, reason: 'base-image-missing' });
    expect(output).toContain('base-image-missing');
  });

  it('of a repository that nobody pushed to is no base, and says so', async () => {
    const { ask } = await project();
    const { code, outputs } = await ask();
    expect([code, outputs.KNOWNGOOD_DECISION, outputs.KNOWNGOOD_REASON]).toEqual([
      0,
      'na',
      'no-usable-older',
    ]);
  });

  it('is not missing where the registry does not answer', async () => {
    const { ask } = await project();
    const { code, outputs } = await ask('127.0.0.1:1/acme/app');
    expect([code, outputs.KNOWNGOOD_REASON]).toEqual([2, 'registry-unreachable']);
    expect(outputs.KNOWNGOOD_DECISION).toBeUndefined();
  });
});
