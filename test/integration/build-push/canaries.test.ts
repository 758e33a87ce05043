import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { makeImage } from '../../../sandbox/image.ts';
import { faultProxy, sandbox } from '../../../sandbox/index.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { dockerProgram } from './docker-program.ts';
import { type RunResult, run } from './project.ts';
import { outsider } from './registry.ts';

const box = await sandbox();
const from = await box.base('busybox');
const spellings = (canary: string) => [
  canary,
  encodeURIComponent(canary),
  Buffer.from(canary).toString('base64').replace(/=+$/, ''),
  Buffer.from(`ci:${canary}`).toString('base64').replace(/=+$/, ''),
  Buffer.from(canary).toString('hex'),
];

it.each([
  ['the engine', {}],
  ['buildx', { secrets: 'tok=CANARY-build-secret/+ü%21' }],
  ['a build that fails', { 'build-args': 'EXIT=9', secrets: 'tok=CANARY-build-secret/+ü%21' }],
])('no secret of the run is seen anywhere: %s', async (_, more) => {
  const canaries = {
    build: 'CANARY-build-secret/+ü%21',
    push: 'CANARY-of-the-push/+?~%',
    base: 'CANARY-of-the-base/+?~',
    config: 'CANARY-docker-config-login',
    header: 'CANARY-docker-config-header',
    proxy: 'CANARY-of-the-proxy',
  };
  const guarded = await box.startRegistry({
    auth: 'htpasswd',
    accounts: [{ username: 'ci', password: canaries.push }],
  });
  const [own, foreign] = [await faultProxy(guarded.host), await faultProxy(box.registry.host)];
  const { username, password } = guarded.account!;
  const program = await dockerProgram(box);

  // A private base on a registry of its own, with another password than that of the push.
  const private_ = await box.startRegistry({
    auth: 'htpasswd',
    accounts: [{ username: 'ci', password: canaries.base }],
  });
  const base = await makeImage([[{ path: 'base.txt', content: 'base' }]]);
  const place = parseReference(`${private_.host}/private/base:1`);
  const registry = outsider(private_.account);
  for (const blob of [base.config, ...base.layers])
    await registry.putBlob(place, blob.digest as never, blob.bytes);
  await registry.putManifest(place, { bytes: base.manifest, mediaType: base.mediaType });

  // The user's own Docker configuration: a login elsewhere, a header and a proxy for containers.
  const dockerConfig = mkdtempSync(join(tmpdir(), 'kg-config-'));
  const config = {
    auths: { 'elsewhere.example': { auth: Buffer.from(`ci:${canaries.config}`).toString('base64') } },
    HttpHeaders: { 'X-Token': canaries.header },
    proxies: { default: { httpsProxy: `http://ci:${canaries.proxy}@127.0.0.1:9` } },
  };
  writeFileSync(join(dockerConfig, 'config.json'), JSON.stringify(config));
  mkdirSync(join(dockerConfig, 'cli-plugins'), { recursive: true });
  for (const name of readdirSync(join(box.env.DOCKER_CONFIG!, 'cli-plugins'))) {
    const plugin = readFileSync(join(box.env.DOCKER_CONFIG!, 'cli-plugins', name));
    writeFileSync(join(dockerConfig, 'cli-plugins', name), plugin, { mode: 0o755 });
  }

  const mount = 'secrets' in more ? '--mount=type=secret,id=tok ' : '';
  const show = mount === '' ? '' : 'cat /run/secrets/tok; ';
  const dockerfile = [
    `FROM ${from.replace(box.registry.host, foreign.host)}`,
    'ARG EXIT=0',
    `RUN ${mount}${show}env; exit $EXIT`,
    `COPY --from=${private_.host}/private/base:1 /base.txt /`,
    'COPY . /ctx/',
  ].join('\n');
  const kept: Record<string, string> = {};
  const image = `${own.host}/canaries/app`;
  const end = await run({
    image,
    dockerHost: box.dockerHost,
    files: { Dockerfile: dockerfile, 'a.txt': 'a' },
    version: '1.0.0',
    env: {
      ...program.env,
      DOCKER_CONFIG: dockerConfig,
      https_proxy: `http://ci:${canaries.proxy}@127.0.0.1:9`,
      NPM_TOKEN: canaries.build,
    },
    settings: {
      'registry-username': username,
      'registry-password': password,
      registries: JSON.stringify({ [private_.host]: { ...private_.account } }),
      ...(more as Record<string, string>),
    },
    between: (folder) => keep(join(folder, 'knowngood-out'), kept),
  });

  const secrets = Object.values(canaries).flatMap(spellings);
  const clean = (where: string, text: string) => {
    for (const secret of secrets)
      expect(text.includes(secret), `${secret} in ${where}:\n${text}`).toBe(false);
  };
  clean('the log', end.log);
  clean('the result', JSON.stringify(end.result ?? {}));
  clean('argv', program.argv());
  clean('knowngood-out', JSON.stringify(kept));
  clean('requests to a foreign registry', requestsOf(foreign));
  expect(foreign.requests.length).toBeGreaterThan(0);
  expect(foreign.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  // The password of the base's host does not reach that of the image, and only there is the image's own.
  const toOwn = requestsOf(own);
  for (const secret of spellings(canaries.base)) expect(toOwn.includes(secret)).toBe(false);
  if ('build-args' in more) {
    expect(end.failure?.code).toBe('build-failed');
    clean('the failure', JSON.stringify(end.failure) + end.failure!.message);
  } else {
    clean('the image', await everythingIn(end, guarded));
  }
  await own.stop();
  await foreign.stop();
});

function keep(folder: string, into: Record<string, string>): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile()) into[path] = readFileSync(path, 'utf8');
  }
}

function requestsOf({ requests }: Awaited<ReturnType<typeof faultProxy>>): string {
  return requests
    .map(
      ({ method, path, headers, body }) =>
        `${method} ${path} ${JSON.stringify(headers)} ${body.toString('latin1')}`,
    )
    .join('\n');
}

/** Manifest, config and layers, unpacked. */
async function everythingIn(
  end: RunResult,
  guarded: { host: string; account?: { username: string; password: string } },
) {
  if (end.image?.digest === undefined) throw new Error(`${end.failure?.message}\n${end.log}`);
  const registry = outsider(guarded.account);
  const reference = parseReference(`${guarded.host}/canaries/app@${end.image.digest}`);
  const contents = await registry.contents(reference);
  const parts = [contents!.manifest.bytes];
  for (const { config, manifest } of contents!.platforms) {
    parts.push(config.bytes, manifest.bytes);
    const { layers } = JSON.parse(Buffer.from(manifest.bytes).toString()) as { layers: { digest: string }[] };
    for (const { digest } of layers) {
      const answer = await registry.blob(reference, digest as never, 64 * 1024 * 1024);
      parts.push(gunzipSync(answer!));
    }
  }
  return Buffer.concat(parts).toString('latin1');
}
