import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canStart } from '../../../sandbox/index.ts';
import type { TestPlan } from '../../../src/harness/plan.ts';
import { leftovers, openTrial, release, type Trial, verdicts } from './trial.ts';

// A swarm is a property of the whole engine, so it gets one of its own.
const { own } = await canStart();

describe.skipIf(!own)('a stack on a swarm', () => {
  let trial: Trial;
  beforeAll(async () => {
    trial = await openTrial('own');
  });
  afterAll(() => trial?.close());

  const stack = (version: string, image: string, more = ''): string => `
services:
  app:
    image: ${image}
    command: ["sh", "-c", "exec redis-server --dir /data --requirepass \\"$$(cat /run/secrets/password)\\" ${more}"]
    volumes: ["data:/data"]
    networks: [proxy, internal]
    secrets: [password]
    healthcheck:
      test: ["CMD-SHELL", "redis-cli -a \\"$$(cat /run/secrets/password)\\" ping | grep PONG"]
      interval: 500ms
      timeout: 3s
      retries: 4
    deploy:
      labels:
        - "traefik.enable=true"
        - "coop-cloud.\${STACK_NAME}.version=${version}"
      update_config: { order: stop-first, failure_action: rollback, monitor: 3s }
      restart_policy: { condition: on-failure, delay: 100ms }
networks:
  proxy: { external: true }
  internal: {}
volumes: { data: {} }
secrets:
  password: { external: true, name: "\${STACK_NAME}_password_v1" }
`;
  const cli = (words: string): string => `redis-cli -a "$(cat /run/secrets/password)" ${words}`;
  const plan = {
    deploy: { kind: 'swarm', files: ['compose.yml'] },
    target: { service: 'app', port: 6379 },
    ready: { how: { kind: 'healthcheck' }, timeoutMs: 60_000 },
    beforeUpgrade: [{ kind: 'exec', command: `${cli('set note kept')} && ${cli('save')}` }],
    check: [{ kind: 'exec', command: 'test "$(wc -c < /run/secrets/password)" -ge 20' }],
    tiers: [
      { name: 'install' },
      { name: 'upgrade' },
      { name: 'kept', commands: [{ kind: 'exec', command: `${cli('get note')} | grep kept` }] },
    ],
    timeoutMs: 150_000,
    tierTimeoutMs: 90_000,
  } satisfies Partial<TestPlan> & Pick<TestPlan, 'deploy'>;

  const redis = (version: string): Promise<string> =>
    trial.image('redis', version, [{ path: 'version', content: version }], {}, 'redis');
  const folder = (version: string, text: string): string => {
    const made = trial.folder(`stack-${version}`);
    mkdirSync(made, { recursive: true });
    writeFileSync(join(made, 'compose.yml'), text);
    return made;
  };

  it('is refused by name where the engine is no manager', async () => {
    const { result, id, out } = await trial.run({
      plan: { ...plan, tiers: [{ name: 'install' }] },
      candidate: release('candidate', '1.0.0', { folder: folder('1.0.0', stack('1.0.0', await redis('1'))) }),
    });
    expect(verdicts(result)).toEqual({ install: 'inconclusive swarm-missing' });
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
    await trial.docker.swarmInit({ ListenAddr: '127.0.0.1:2377', AdvertiseAddr: '127.0.0.1' });
  });

  it('installs and upgrades with its data, its labels and its generated secret', async () => {
    const { result, id, out } = await trial.run({
      plan,
      candidate: release('candidate', '2.0.0', { folder: folder('2.0.0', stack('2.0.0', await redis('2'))) }),
      bases: [release('base', '1.0.0', { folder: folder('1.0.0', stack('1.0.0', await redis('1'))) })],
    });
    expect(result.troubles).toEqual([]);
    expect(verdicts(result)).toEqual({ install: 'pass', upgrade: 'pass', kept: 'pass' });
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });

  it('is red where swarm took the update back, however healthy the service is', async () => {
    const { result, id, out } = await trial.run({
      plan: { ...plan, check: [], tiers: [{ name: 'upgrade' }] },
      candidate: release('candidate', '3.0.0', {
        folder: folder('3.0.0', stack('3.0.0', await redis('3'), '--no-such-option 1')),
      }),
      bases: [release('base', '1.0.0', { folder: folder('1.0.0', stack('1.0.0', await redis('1'))) })],
    });
    expect(verdicts(result)).toEqual({ upgrade: 'fail upgrade-no-effect' });
    expect(result.troubles[0]?.detail).toMatch(/rolled back/);
    expect(result.effect).toBe(false);
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });
});
