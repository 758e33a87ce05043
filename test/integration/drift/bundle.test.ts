import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { githubJob, type Job, pluginJob } from '../bundle/ci-job.ts';
import { makeScene, type Scene } from './world.ts';

let box: Sandbox;
let scene: Scene;
beforeAll(async () => {
  box = await sandbox();
});
afterEach(() => scene?.stop());

/** A project of two releases; its compose file is behind. */
async function project(): Promise<Record<string, string>> {
  scene = await makeScene(box.registry.host);
  await scene.release('1.0.0', {
    files: { 'compose.yml': `services:\n  a:\n    image: ${scene.image}:1.0.0\n` },
  });
  await scene.promote('1.0.0');
  await scene.release('1.1.0');
  await scene.promote('1.1.0');
  return {
    step: 'drift',
    recipe: 'app',
    checks: 'canonical, pins',
    image: scene.image,
    repository: scene.repository.path,
    ledger: `file:${join(scene.root, 'ledger')}`,
  };
}

const hosts: [string, (env: Record<string, string>) => Job][] = [
  ['GitHub', (env) => githubJob('github-schedule', scene.repository.path, env)],
  ['Drone', (env) => pluginJob('drone-cron', scene.repository.path, env)],
];

describe.each(hosts)('on %s', (host, job) => {
  const env = () => ({ PATH: process.env.PATH ?? '', HOME: scene.root });

  it('a person sees what is behind, and a script the last lines', async () => {
    const settings = await project();
    const end = await job(env()).step(settings);
    expect(end.code).toBe(0);
    expect(end.lastLine).toBe('knowngood: drift done clean');
    expect(end.output).toContain(`Write \`${scene.image}:1.1.0\` here.`);
    expect(end.output).toMatch(/^BEHIND=1$/m);
    expect(end.output).toMatch(/^FINDINGS=1$/m);
    expect(end.output).toMatch(/^VERDICT=clean$/m);
    if (host === 'GitHub') {
      expect(end.output).toMatch(/^::warning title=pin-behind,file=compose\.yml,line=3,col=12::/m);
      expect(end.outputs['drift-verdict']).toBe('clean');
      expect(JSON.parse(end.outputs['drift-findings']!)[0].replacement).toBe(`${scene.image}:1.1.0`);
      expect(end.summary).toContain('`compose.yml:3:12`');
    }
  });

  it('refuses what `fail-on` names, and writes SARIF where it is asked to', async () => {
    const settings = await project();
    const end = await job(env()).step({ ...settings, 'fail-on': 'pin-behind', 'report-to': 'sarif' });
    expect(end.code).toBe(1);
    expect(end.lastLine).toBe('knowngood: drift refused pin-behind');
    const sarif = JSON.parse(
      readFileSync(join(scene.repository.path, 'knowngood-out', 'drift.sarif'), 'utf8'),
    );
    expect(sarif.runs[0].results[0].ruleId).toBe('pin-behind');
  });

  it.each([
    ['checks', 'pinss'],
    ['fail-on', 'pin-behindd'],
    ['report-to', 'mail'],
  ])('asked for %s that are not known, it says which there are', async (setting, value) => {
    const settings = await project();
    const end = await job(env()).step({ ...settings, [setting]: value });
    expect(end.code).toBe(2);
    expect(end.lastLine).toBe('knowngood: drift error setting-invalid');
    expect(end.output).toContain(value);
  });
});
