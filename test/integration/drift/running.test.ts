import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { connect } from '../../../src/engine/connect.ts';
import { systemClock } from '../../../src/http/clock.ts';
import { codes, makeScene, runDrift, type Scene } from './world.ts';

let box: Sandbox;
let scene: Scene;
const started: { remove(options: object): Promise<unknown> }[] = [];

beforeAll(async () => {
  box = await sandbox();
});
afterEach(async () => {
  for (const container of started.splice(0)) await container.remove({ force: true });
  scene?.stop();
});

describe('what runs on this engine', () => {
  it('is told apart by digest, whatever its labels say', async () => {
    const { docker } = await connect(box.dockerHost, {}, new AbortController().signal, systemClock);
    const busybox = await box.base('busybox');
    scene = await makeScene(box.registry.host);
    await scene.release('1.0.0');
    await scene.promote('1.0.0');
    const run = async (name: string, image: string): Promise<void> => {
      const container = await docker.createContainer({ name, Image: image, Cmd: ['/bin/sleep', '600'] });
      started.push(container);
      await container.start();
    };
    // Real containers of images that do something: builds on the sandbox's base, under our repository's name.
    const [repo] = [scene.image];
    const build = async (tag: string, version: string): Promise<string> => {
      const container = await docker.createContainer({ Image: busybox, Cmd: ['/bin/true'] });
      await container.commit({
        repo,
        tag,
        changes: `LABEL dev.knowngood.version=${version}`,
      });
      await container.remove({ force: true });
      return `${repo}:${tag}`;
    };
    const suffix = scene.image.split('/').at(-2)!.slice(0, 8);
    await run(`kg-drift-same-${suffix}`, await build('local', '1.0.0'));
    await run(`kg-drift-old-${suffix}`, await build('older', '0.9.0'));
    await run(`kg-drift-other-${suffix}`, busybox);

    const found = await runDrift(scene, { checks: 'running', 'docker-host': box.dockerHost });
    const mine = found.findings.filter(({ message }) => message.includes(suffix));
    expect(mine.map(({ code, message }) => [code, /kg-drift-(\w+)-/.exec(message)?.[1]])).toEqual([
      ['running-differs', 'same'],
      ['running-behind', 'old'],
    ]);
  });

  it('is not looked at unless somebody asks', async () => {
    scene = await makeScene(box.registry.host);
    await scene.release('1.0.0');
    const found = await runDrift(scene, { 'docker-host': 'unix:///nowhere.sock' });
    expect(codes(found)).toEqual(['new-release']);
  });

  it('is an error where no engine answers', async () => {
    scene = await makeScene(box.registry.host);
    await scene.release('1.0.0');
    const found = await runDrift(scene, { checks: 'running', 'docker-host': 'unix:///nowhere.sock' });
    expect(found.result?.outputs['drift-verdict']).toBe('error');
  });
});
