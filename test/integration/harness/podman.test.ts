import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canStart } from '../../../sandbox/index.ts';
import type { TestPlan } from '../../../src/harness/plan.ts';
import { leftovers, ofImage, openTrial, type Trial, verdicts } from './trial.ts';

const { own } = await canStart();

describe.skipIf(!own)('Podman', () => {
  let trial: Trial;
  beforeAll(async () => {
    trial = await openTrial('podman');
  });
  afterAll(() => trial?.close());

  const image = (tag: string, script = 'exec httpd -f -p 8000 -h /srv'): Promise<string> =>
    trial.image('on-podman', tag, [{ path: 'srv/index.html', content: tag }], { Cmd: ['sh', '-c', script] });
  const plan = {
    deploy: {
      kind: 'image',
      ports: [{ container: 8000 }],
      volumes: [{ kind: 'volume', source: 'data', target: '/data', readOnly: false }],
    },
    ready: { how: { kind: 'http', path: '/' }, timeoutMs: 60_000 },
    beforeUpgrade: [{ kind: 'exec', command: 'echo kept > /data/note' }],
    check: [{ kind: 'run', command: 'wget -qO- "$KNOWNGOOD_URL"' }],
    tiers: [
      { name: 'install' },
      { name: 'upgrade' },
      { name: 'kept', commands: [{ kind: 'exec', command: 'grep kept /data/note' }] },
    ],
  } as const satisfies Partial<TestPlan>;

  it('installs and upgrades an image', async () => {
    const { result, id, out } = await trial.run({
      plan,
      candidate: ofImage('candidate', '2.0.0', await image('2')),
      bases: [ofImage('base', '1.0.0', await image('1'))],
    });
    expect(result.troubles).toEqual([]);
    expect(verdicts(result)).toEqual({ install: 'pass', upgrade: 'pass', kept: 'pass' });
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });

  it('is red where the candidate crashes, with its words', async () => {
    const { result, id, out } = await trial.run({
      plan,
      candidate: ofImage('candidate', '3.0.0', await image('3', 'echo the reason >&2; exit 3')),
    });
    expect(verdicts(result).install).toBe('fail crashed');
    expect(result.troubles[0]?.lines.join('\n')).toContain('the reason');
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });

  it('installs and upgrades a compose application', async () => {
    const folder = async (version: string): Promise<string> => {
      const made = trial.folder(`app-${version}`);
      writeFileSync(
        join(made, 'compose.yml'),
        `services: { app: { image: "${await image(version)}", volumes: ["data:/data"], ports: ["8000"] } }\nvolumes: { data: {} }\n`,
      );
      return made;
    };
    const { result, id, out } = await trial.run({
      plan: { ...plan, deploy: { kind: 'compose', files: ['compose.yml'], profiles: [] } },
      candidate: ofImage('candidate', '2.0.0', await image('2'), { folder: await folder('2') }),
      bases: [ofImage('base', '1.0.0', await image('1'), { folder: await folder('1') })],
    });
    expect(result.troubles).toEqual([]);
    expect(verdicts(result)).toEqual({ install: 'pass', upgrade: 'pass', kept: 'pass' });
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });
});
