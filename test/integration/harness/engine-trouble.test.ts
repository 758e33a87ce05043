import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asRoot, command } from '../../../sandbox/command.ts';
import { canStart } from '../../../sandbox/index.ts';
import { removeJournalledRuns } from '../../../src/harness/clean-up.ts';
import type { TestPlan } from '../../../src/harness/plan.ts';
import { leftovers, ofImage, openTrial, type Trial, verdicts } from './trial.ts';

// What is done to the engine here would disturb everybody else's tests.
const { own } = await canStart();

describe.skipIf(!own)('an engine', () => {
  let trial: Trial;
  let image: string;
  /** What the sandbox has of this engine on disk. */
  let folder: string;
  beforeAll(async () => {
    trial = await openTrial('own');
    folder = dirname(trial.box.env.DOCKER_CONFIG!);
    image = await trial.image('trouble', '1', [{ path: 'srv/index.html', content: 'hello' }], {
      Cmd: ['httpd', '-f', '-p', '8000', '-h', '/srv'],
    });
  });
  afterAll(() => trial?.close());

  const plan = {
    deploy: {
      kind: 'image',
      ports: [{ container: 8000 }],
      volumes: [{ kind: 'volume', source: 'data', target: '/data', readOnly: false }],
    },
    ready: { how: { kind: 'http', path: '/' }, timeoutMs: 60_000 },
    tiers: [{ name: 'install' }],
  } as const satisfies Partial<TestPlan>;

  const mounted = async (path: string, size: string, body: () => Promise<void>): Promise<void> => {
    await command(asRoot(['mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]));
    try {
      await body();
    } finally {
      await command(asRoot(['umount', path]));
    }
  };
  const fill = (path: string): Promise<string> =>
    command(asRoot(['sh', '-c', 'cat /dev/zero > "$0" 2>/dev/null; test -s "$0"', join(path, 'filler')]));

  it('whose disk is full: nobody is blamed, and nothing is left', async () => {
    const containers = join(folder, 'docker', 'containers');
    await mounted(containers, '64k', async () => {
      await fill(containers);
      const { result, id, out } = await trial.run({ plan, candidate: ofImage('candidate', '1.0.0', image) });
      expect(verdicts(result)).toEqual({ install: 'inconclusive disk-full' });
      expect(await leftovers(trial.docker, id, out)).toEqual([]);
    });
  });

  it('whose disk is full, for a compose application with a bind', async () => {
    const tree = trial.folder('full');
    mkdirSync(join(tree, 'site'), { recursive: true });
    writeFileSync(
      join(tree, 'compose.yml'),
      `services: { app: { image: "${image}", volumes: ["./site:/site"] } }`,
    );
    const containers = join(folder, 'docker', 'containers');
    await mounted(containers, '64k', async () => {
      await fill(containers);
      const { result, id, out } = await trial.run({
        plan: { ...plan, deploy: { kind: 'compose', files: ['compose.yml'], profiles: [] } },
        candidate: { ...ofImage('candidate', '1.0.0', image), folder: tree },
      });
      expect(verdicts(result)).toEqual({ install: 'inconclusive disk-full' });
      expect(await leftovers(trial.docker, id, out)).toEqual([]);
    });
  });

  it('beside our own full disk: nothing is made that no journal has', async () => {
    const out = trial.folder('own-full');
    await mounted(out, '8k', async () => {
      mkdirSync(join(out, 'logs'));
      await fill(out);
      const run = trial.run({
        plan,
        candidate: ofImage('candidate', '1.0.0', image),
        id: 'fulldisk01',
        more: { out },
      });
      await expect(run).rejects.toMatchObject({ code: 'disk-full' });
      expect(await leftovers(trial.docker, 'fulldisk01')).toEqual([]);
    });
  });

  it('that stops in the middle: inconclusive, and all is removed once it is back', async () => {
    const pid = readFileSync(join(folder, 'dockerd.pid'), 'utf8').trim();
    const { result, id, out } = await trial.run({
      plan: { ...plan, check: [{ kind: 'exec', command: 'sleep 1000' }] },
      candidate: ofImage('candidate', '1.0.0', image),
      more: {
        onPhase: ({ name }) => {
          if (name === 'ready 1.0.0') void command(asRoot(['kill', '-KILL', pid]));
        },
      },
    });
    expect(verdicts(result).install).toMatch(/^inconclusive engine-(?:unreachable|failed)$/);
    expect(result.findings.map(({ code }) => code)).toContain('left-behind');
    expect(readdirSync(out)).toContain(`journal-${id}.ndjson`);

    await startAgain();
    const { left } = await removeJournalledRuns(async () => trial.docker, join(out, '..'), 20_000);
    expect(left).toEqual([]);
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });

  /** The same engine once more; the sandbox knows its processes by this variable and ends them with the rest. */
  async function startAgain(): Promise<void> {
    const env = { ...trial.box.env, KNOWNGOOD_SANDBOX_RUN: basename(folder) };
    const [program = '', ...argv] = asRoot(['dockerd', '--config-file', join(folder, 'daemon.json')], env);
    spawn(program, argv, {
      env: { ...process.env, ...env },
      detached: true,
      stdio: 'ignore',
      cwd: folder,
    }).unref();
    for (;;) {
      const answer = await trial.docker.ping().catch(() => undefined);
      if (answer !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
});
