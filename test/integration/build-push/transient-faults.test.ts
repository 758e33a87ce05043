import { expect, it } from 'vitest';
import { type Fault, faultProxy, sandbox } from '../../../sandbox/index.ts';
import { commitNamed, run } from './project.ts';
import { contentsAt, tagDigest } from './registry.ts';

const box = await sandbox();
const from = await box.base('busybox');
const page = '<!DOCTYPE html><title>Unicorn!</title>This page is taking too long to load.';

/** Each kind of fault that passes, and where it can come. */
const kinds: Omit<Fault, 'times' | 'probability'>[] = [
  { how: { status: 503, body: page } },
  { how: { status: 502, body: page } },
  { how: { status: 504 } },
  { how: { status: 500, body: '{"errors":[{"code":"UNKNOWN"}]}' } },
  { how: { status: 429, headers: { 'retry-after': '1' }, body: '{"errors":[{"code":"TOOMANYREQUESTS"}]}' } },
  { how: 'reset' },
  { how: 'cut-after' },
  { method: /^(?:GET|HEAD)$/, how: 'reset-mid-body' },
];

it('50 pushes all end right while every fifth request fails', { timeout: 600_000 }, async () => {
  const pushes = Array.from({ length: 50 }, (_, index) => index);
  const faults: number[] = [];
  const waiting = [...pushes];
  const worker = async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      const proxy = await faultProxy(box.registry.host, { seed: index + 1 });
      // One after the other would give the first kind all the luck: each has its share of the fifth.
      kinds.forEach((kind, at) => {
        const probability = 0.2 / kinds.length / (1 - (0.2 * at) / kinds.length);
        proxy.fault({ ...kind, times: Number.POSITIVE_INFINITY, probability });
      });
      const version = `1.0.${index}`;
      const image = `${proxy.host}/faults/app-${process.pid}-${index}`;
      const end = await run({
        image,
        dockerHost: box.dockerHost,
        files: { Dockerfile: `FROM ${from}\nCOPY a.txt /\n`, 'a.txt': `${process.pid} ${index}\n` },
        version,
        commit: commitNamed(version),
        settings: { publish: 'on-push' },
      });
      faults.push(proxy.requests.filter(({ fault }) => fault).length / proxy.requests.length);
      await proxy.stop();
      expect(end.failure, `push ${index}\n${end.failure?.message}\n${end.log}`).toBeUndefined();
      const there = image.replace(proxy.host, box.registry.host);
      expect(await tagDigest(there, version)).toBe(end.image!.digest);
      const [platform] = (await contentsAt(`${there}:sha-${commitNamed(version).slice(0, 12)}`)).platforms;
      expect(platform!.labels['org.opencontainers.image.version']).toBe(version);
    }
  };
  await Promise.all(Array.from({ length: 25 }, worker));
  const share = faults.reduce((sum, part) => sum + part, 0) / faults.length;
  expect(share).toBeGreaterThan(0.15);
});
