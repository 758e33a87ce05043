import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { makeImage } from '../../../sandbox/image.ts';
import type { Sandbox, ToolName } from '../../../sandbox/index.ts';
import { createHttp } from '../../../src/http/client.ts';
import type { Retry } from '../../../src/http/http.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { parseReference, type Reference, withTag } from '../../../src/oci/reference.ts';
import { createRegistry, type RegistryOptions } from '../../../src/registry/client.ts';
import { credentialsFrom } from '../../../src/registry/credentials.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { instantClock } from '../http/server.ts';

export interface Account {
  readonly username: string;
  readonly password: string;
}

/** Our client as `tools.ts` makes it, with a clock that costs no waiting, and what it told. */
export function client(
  accounts: Readonly<Record<string, Account>> = {},
  more: Partial<RegistryOptions> = {},
  signal?: AbortSignal,
  redact: (text: string) => string = (text) => text,
) {
  const retries: Retry[] = [];
  const masked: string[] = [];
  const clock = instantClock();
  const onRetry = (retry: Retry) => retries.push(retry);
  const http = createHttp({ clock, onRetry, redact, ...(signal ? { signal } : {}) });
  const credentials = credentialsFrom(new Map(Object.entries(accounts)));
  const registry = createRegistry({
    http,
    clock,
    credentials,
    mask: (secret) => masked.push(secret),
    ...more,
  });
  return { registry, http, clock, retries, masked };
}

export type TestImage = Awaited<ReturnType<typeof makeImage>>;

/** A small image of its own for each text. */
export function testImage(text: string, options: Parameters<typeof makeImage>[1] = {}): Promise<TestImage> {
  return makeImage([[{ path: 'file', content: text }]], options);
}

/** Pushes blobs and manifest through our client, as build-push does. */
export async function push(registry: Registry, reference: Reference, image: TestImage): Promise<Digest> {
  for (const { digest, bytes } of [image.config, ...image.layers]) {
    await registry.putBlob(reference, digest as Digest, bytes);
  }
  const { digest } = await registry.putManifest(reference, {
    bytes: image.manifest,
    mediaType: image.mediaType,
  });
  return digest;
}

export const at = (host: string, name: string): Reference => parseReference(`${host}/${name}`);
export const tagged = (host: string, name: string, tag: string): Reference => withTag(at(host, name), tag);
export const bytesOf = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
export { digestOf };

/** Runs one of other people's tools, our judge. */
export async function judge(box: Sandbox, name: ToolName, ...argv: string[]): Promise<string> {
  const env = { ...process.env, ...box.env };
  const { stdout } = await promisify(execFile)(await box.tool(name), argv, {
    env,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trim();
}
