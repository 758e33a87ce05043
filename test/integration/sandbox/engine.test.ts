import { expect, it } from 'vitest';
import { sandbox } from '../../../sandbox/index.ts';

it('gives an engine that answers and a registry', async () => {
  const box = await sandbox();
  expect(box.engine.version).toMatch(/^\d+\./);
  const reference = await box.base('busybox');
  const [host, rest] = [box.registry.host, reference.slice(box.registry.host.length + 1)];
  const [repository, tag] = rest.split(':');
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  expect(answer.status).toBe(200);
});
