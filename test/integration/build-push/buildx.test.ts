import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeImage } from '../../../sandbox/image.ts';
import { faultProxy, type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { parseManifest } from '../../../src/oci/manifest.ts';
import { parseReference, withDigest } from '../../../src/oci/reference.ts';
import { type DockerProgram, dockerProgram } from './docker-program.ts';
import { commitNamed, type RunFacts, run } from './project.ts';
import { contentsAt, outsider, tagsOf } from './registry.ts';

const sha = `sha-${commitNamed('one').slice(0, 12)}`;

describe.each(['default', 'docker-28-containerd'] as const)('docker buildx on %s', (engine) => {
  let box: Sandbox;
  let from: string;
  let program: DockerProgram;
  let number = 0;
  beforeAll(async () => {
    box = await sandbox({ engine });
    from = await box.base('busybox');
    program = await dockerProgram(box);
  });
  afterAll(() => box?.stop());

  const facts = (dockerfile: string, more: Partial<RunFacts> = {}): RunFacts => ({
    image: `${box.registry.host}/buildx/app-${process.pid}-${number++}`,
    dockerHost: box.dockerHost,
    files: { Dockerfile: dockerfile, 'a.txt': 'a\n' },
    version: '1.0.0',
    ...more,
    env: { ...program.env, ...more.env },
  });
  const must = async (given: RunFacts) => {
    const { image, failure, log } = await run(given);
    if (!image || failure) throw new Error(`${failure?.code} ${failure?.message}\n${log}`);
    return { image, log };
  };

  it('gives secrets to the RUN that asks for them, and to nobody else', async () => {
    const secret = `canary-${engine}-${process.pid}`;
    const hash = createHash('sha256').update(secret).digest('hex');
    const given = facts(
      `FROM ${from}\nRUN --mount=type=secret,id=tok cat /run/secrets/tok; sha256sum < /run/secrets/tok\nCOPY a.txt /\n`,
      { settings: { secrets: `tok=${secret}` } },
    );
    const { image, log } = await must(given);
    expect(log).toContain('Building with buildx, because of secrets.');
    expect(log).toContain(hash);
    expect(log).not.toContain(secret);
    expect(program.argv()).toContain('--secret=id=tok,env=');
    expect(program.argv()).not.toContain(secret);
    const [platform] = (await contentsAt(`${given.image}@${image.digest}`)).platforms;
    expect(Buffer.from(platform!.config.bytes).toString()).not.toContain(secret);
    expect(platform!.labels).toMatchObject(image.labels);
    expect(await tagsOf(given.image)).toEqual([sha]);
  });

  it('gives an agent to the RUN that asks for it', async () => {
    const socket = join(mkdtempSync(join(tmpdir(), 'kg-agent-')), 'agent');
    const agent = createServer((client) => client.end()).listen(socket);
    const given = facts(
      `FROM ${from}\nRUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo agent is here\n`,
      {
        settings: { ssh: 'default' },
        env: { SSH_AUTH_SOCK: socket },
      },
    );
    expect((await must(given)).log).toContain('agent is here');
    agent.close();
  });

  it('reads private bases with the credential of their host, and tells no other', async () => {
    const guarded = await box.startRegistry({ auth: 'htpasswd' });
    const open = await faultProxy(box.registry.host);
    const { username, password } = guarded.account!;
    const base = await makeImage([[{ path: 'base.txt', content: `base ${engine}` }]]);
    const place = parseReference(`${guarded.host}/private/base:1`);
    const registry = outsider(guarded.account);
    for (const blob of [base.config, ...base.layers])
      await registry.putBlob(place, blob.digest as never, blob.bytes);
    await registry.putManifest(place, { bytes: base.manifest, mediaType: base.mediaType });
    const other = from.replace(box.registry.host, open.host);
    const given = facts(
      `FROM ${guarded.host}/private/base:1@${base.digest}\nCOPY --from=${other} /bin/busybox /bb\n`,
      {
        settings: {
          builder: 'buildx',
          registries: JSON.stringify({ [guarded.host]: { username, password } }),
        },
      },
    );
    const { image, log } = await must(given);
    expect(image.labels['org.opencontainers.image.base.digest']).toBe(base.digest);
    expect(open.requests.length).toBeGreaterThan(0);
    expect(open.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    expect(log + program.argv()).not.toContain(password);
    await open.stop();
  });

  it('makes several platforms, and the index has the annotations', async () => {
    const given = facts('FROM scratch\nARG TARGETARCH\nCOPY a.txt /\nENV ARCH=$TARGETARCH\n', {
      settings: { builder: 'buildx', platforms: 'linux/amd64,linux/arm64' },
    });
    const { image } = await must(given);
    expect(Object.keys(image.platforms).sort()).toEqual(['linux/amd64', 'linux/arm64']);
    const raw = await outsider().manifest(withDigest(parseReference(given.image), image.digest!));
    const index = parseManifest(raw!.bytes, raw!.mediaType);
    expect(index.kind).toBe('index');
    expect(index.annotations).toMatchObject({ 'org.opencontainers.image.version': '1.0.0' });
    const contents = await contentsAt(`${given.image}@${image.digest}`);
    expect(contents.platforms.map(({ labels }) => labels['dev.knowngood.recipe'])).toEqual([
      image.recipeDigest,
      image.recipeDigest,
    ]);
  });

  it('takes arguments, a target, and a cache that is kept in the image', async () => {
    const dockerfile = `FROM ${from} AS one\nARG WANT\nRUN echo "want $WANT" > /want\nFROM one AS two\nLABEL stage=two\n`;
    const settings = { 'cache-to': 'type=inline', target: 'one', 'build-args': 'WANT=x' };
    const given = facts(dockerfile, { settings });
    const { image, log } = await must(given);
    expect(log).toContain('because of cache-to');
    expect(image.labels.stage).toBeUndefined();
    const again = facts(dockerfile, {
      settings: { ...settings, 'cache-from': `type=registry,ref=${given.image}:${sha}` },
      context: 'change',
      event: { kind: 'push', branch: 'main' },
    });
    expect((await must(again)).log).toMatch(/RUN echo \S+ x\S* > \/want {2}cached/);
    expect(program.argv()).toContain(`--cache-from=type=registry,ref=${given.image}:${sha}`);
  });

  it('names line, instruction, exit code and last lines of what failed', async () => {
    const { failure } = await run(
      facts(`FROM ${from}\n\nRUN --mount=type=secret,id=t echo words; exit 7\n`, {
        settings: { secrets: 't=hidden-value' },
      }),
    );
    expect(failure).toMatchObject({ code: 'build-failed', outcome: 'error' });
    expect(failure?.findings[0]?.at).toEqual({ file: 'Dockerfile', line: 3 });
    expect(failure?.message).toMatch(/exit code 7[\s\S]*words/);
  });

  it('is missed by name where it is needed and not there', async () => {
    const { failure } = await run(
      facts(`FROM ${from}\n`, { settings: { builder: 'buildx' }, env: { PATH: '/nowhere' } }),
    );
    expect(failure?.code).toBe('builder-missing');
    const asked = await run(
      facts(`FROM ${from}\n`, { settings: { builder: 'engine', secrets: 'a=hidden-value' } }),
    );
    expect(asked.failure).toMatchObject({
      code: 'setting-invalid',
      message: expect.stringContaining('secrets'),
    });
  });
});
