import { expect, it } from 'vitest';
import { command } from '../../../sandbox/command.ts';
import { canStart, sandbox } from '../../../sandbox/index.ts';

const { suites } = await canStart();

it.skipIf(!suites)('agree with the sandbox on the digest of an image', async () => {
  const box = await sandbox();
  const reference = await box.base('busybox');
  const crane = await command([await box.tool('crane'), 'digest', reference]);
  const skopeo = await command([
    ...[await box.tool('skopeo'), 'inspect', '--tls-verify=false'],
    ...['--format', '{{.Digest}}', `docker://${reference}`],
  ]);
  expect(crane).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  expect(skopeo).toBe(crane);
});

it.skipIf(!suites)('give docker its plugins', async () => {
  const box = await sandbox();
  const docker = (...args: string[]) => command(['docker', ...args], { env: { ...process.env, ...box.env } });
  await box.tool('docker-compose');
  await box.tool('docker-buildx');
  expect(await docker('compose', 'version')).toMatch(/\d+\.\d+/);
  expect(await docker('buildx', 'version')).toMatch(/\d+\.\d+/);
});
