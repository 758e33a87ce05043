import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { command } from '../../../sandbox/command.ts';
import { canStart, type EngineChoice, sandbox } from '../../../sandbox/index.ts';
import { nothing, tracesOf } from './traces.ts';

const engines: { engine: EngineChoice; kind: string; version: RegExp; store: string }[] = [
  { engine: 'docker-26-containerd', kind: 'docker', version: /^2[6-8]\./, store: 'containerd' },
  { engine: 'docker-28', kind: 'docker', version: /^(2[89]|3\d)\./, store: 'overlay' },
  { engine: 'podman', kind: 'podman', version: /^[45]\./, store: 'podman' },
];

const { suites } = await canStart();

describe.skipIf(!suites).each(engines)('$engine', ({ engine, kind, version, store }) => {
  it('builds, pushes, runs with a published port, and leaves nothing behind', async () => {
    const box = await sandbox({ engine });
    const folder = mkdtempSync(join(tmpdir(), 'context-'));
    try {
      expect(box.engine).toMatchObject({
        kind,
        store,
        version: expect.stringMatching(version),
        found: false,
      });
      const name = `${box.registry.host}/other/engine:1`;
      const lines = [`FROM ${await box.base('busybox')}`, 'RUN mkdir /www && echo hello >/www/index.html'];
      writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
      const docker = async (...args: string[]) =>
        (await command(['docker', ...args], { env: { ...process.env, ...box.env } })).trim();
      await docker('build', '-t', name, folder);
      expect(await docker('push', name)).toContain('digest: sha256:');
      await docker(
        'run',
        '-d',
        '--name',
        'web',
        '-p',
        '127.0.0.1::80',
        name,
        'httpd',
        '-f',
        '-p',
        '80',
        '-h',
        '/www',
      );
      expect(await (await fetch(`http://${await docker('port', 'web', '80')}/`)).text()).toBe('hello\n');
    } finally {
      const traces = tracesOf(dirname(box.env.DOCKER_CONFIG!), box.dockerHost);
      await box.stop();
      rmSync(folder, { recursive: true, force: true });
      expect(traces()).toEqual(nothing);
    }
  });
});
