import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FaultProxy, faultProxy, type Sandbox, sandbox } from '../../../sandbox/index.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { at, client, push, tagged, testImage } from './client.ts';

// go-containerregistry's registry: written by other people than the distribution's, and sends no header of its own.
let box: Sandbox;
let proxy: FaultProxy;
let host: string;
let stop = () => {};

beforeAll(async () => {
  box = await sandbox({ engine: 'none' });
  const crane = await box.tool('crane');
  const child = spawn(crane, ['registry', 'serve', '--address', '127.0.0.1:0'], {
    env: { ...process.env, ...box.env },
  });
  stop = () => child.kill();
  const port = await new Promise<string>((resolve, reject) => {
    let log = '';
    child.on('error', reject);
    child.on('exit', () => reject(new Error(log)));
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk;
      const found = /127\.0\.0\.1:(\d+)|port (\d+)/.exec(log);
      if (found) resolve((found[1] ?? found[2])!);
    });
  });
  proxy = await faultProxy(`127.0.0.1:${port}`);
  host = proxy.host;
});
afterAll(async () => {
  stop();
  await proxy?.stop();
  await box?.stop();
});

describe("go-containerregistry's registry", () => {
  it('takes and gives images, blobs in pieces too', async () => {
    const { registry } = client();
    const image = await testImage('second');
    const reference = tagged(host, 'second/a', '1');
    expect(await registry.head(reference)).toBeUndefined();
    expect(await push(registry, reference, image)).toBe(image.digest);
    expect(await registry.contents(reference)).toMatchObject({ manifest: { digest: image.digest } });
    const bytes = randomBytes(40 * 1024 * 1024);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
    await registry.putBlob(at(host, 'second/a'), digest, bytes);
    expect(await registry.blobExists(at(host, 'second/a'), digest)).toBe(true);
  });

  it('tells tags', async () => {
    const { registry } = client();
    const image = await testImage('second tags');
    const tags = ['1', '2', '3'];
    for (const tag of tags) await push(registry, tagged(host, 'second/tags', tag), image);
    expect(await registry.tags(at(host, 'second/tags'))).toEqual(tags);
  });
});
