import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leftovers, openTrial, release, type Trial } from './trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
});
afterAll(() => trial.close());

const verdicts = (tiers: readonly { name: string; verdict: string; reason?: string }[]) =>
  Object.fromEntries(
    tiers.map(({ name, verdict, reason }) => [name, reason === undefined ? verdict : `${verdict} ${reason}`]),
  );

describe('a two-service compose application of upstream images', () => {
  const composeFile = (version: string, web: string, db: string): string => `
x-common: &common
  restart: unless-stopped
services:
  app:
    <<: *common
    image: ${web}
    command: ["sh", "-c", "cp /etc/site/* /srv/; nc -w 5 db 6000 > /srv/data.html < /dev/null; exec httpd -f -p 8000 -h /srv"]
    ports: ["8000:8000"]
    labels: { "coop-cloud.\${STACK_NAME}.version": "${version}" }
    volumes: ["./site:/etc/site:ro"]
    depends_on: { db: { condition: service_healthy } }
    secrets: [password]
  db:
    <<: *common
    image: ${db}
    command: ["sh", "-c", "test -f /data/log || echo empty > /data/log; exec nc -ll -p 6000 -e cat /data/log"]
    volumes: ["data:/data"]
    healthcheck: { test: ["CMD", "test", "-f", "/data/log"], interval: 200ms, retries: 20 }
volumes: { data: {} }
secrets: { password: { file: ./password.txt } }
`;

  it('installs, and upgrades with its data', async () => {
    const web1 = await trial.image('web', '1', [
      { path: 'srv', folder: true },
      { path: 'data', folder: true },
    ]);
    const web2 = await trial.image('web', '2', [
      { path: 'srv', folder: true },
      { path: 'data', folder: true },
      { path: 'two', content: '2' },
    ]);
    const folderOf = (version: string, web: string): string => {
      const folder = trial.folder(`app-${version}`);
      mkdirSync(join(folder, 'site'), { recursive: true });
      writeFileSync(join(folder, 'site', 'version'), version);
      writeFileSync(join(folder, 'password.txt'), 'x');
      writeFileSync(join(folder, 'compose.yml'), composeFile(version, web, web1));
      return folder;
    };
    const { result, id, out } = await trial.run({
      plan: {
        deploy: { kind: 'compose', files: ['compose.yml'], profiles: [] },
        ready: { how: { kind: 'http', path: '/version' }, timeoutMs: 20_000 },
        beforeUpgrade: [{ kind: 'exec', service: 'db', command: 'echo kept > /data/log' }],
        check: [
          { kind: 'http', path: '/version', contains: '2.0.0' },
          { kind: 'exec', command: 'test "$(cat /run/secrets/password)" = x' },
        ],
        tiers: [
          { name: 'install' },
          { name: 'upgrade' },
          { name: 'kept', commands: [{ kind: 'http', path: '/data.html', contains: 'kept' }] },
        ],
      },
      candidate: release('candidate', '2.0.0+v2', { folder: folderOf('2.0.0+v2', web2) }),
      bases: [release('base', '1.0.0+v1', { folder: folderOf('1.0.0+v1', web1) })],
    });
    expect(result.troubles).toEqual([]);
    expect(verdicts(result.tiers)).toEqual({ install: 'pass', upgrade: 'pass', kept: 'pass' });
    expect(result.effect).toBe(true);
    expect(await leftovers(trial.docker, id, out)).toEqual([]);
  });
});
