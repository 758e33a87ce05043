import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeImage } from '../../../sandbox/image.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { parseManifest } from '../../../src/oci/manifest.ts';
import { parseReference, withDigest } from '../../../src/oci/reference.ts';
import { commitNamed, type RunFacts, run } from './project.ts';
import { contentsAt, outsider, tagsOf } from './registry.ts';

const engines = [
  'docker-20',
  'docker-26',
  'docker-26-containerd',
  'docker-28',
  'docker-28-containerd',
  'podman',
] as const;

describe.each(engines)('%s', (engine) => {
  let box: Sandbox;
  let from: string;
  let number = 0;
  beforeAll(async () => {
    box = await sandbox({ engine });
    from = await box.base('busybox');
  });
  afterAll(() => box?.stop());

  const facts = (more: Partial<RunFacts> = {}): RunFacts => ({
    image: `${box.registry.host}/engines/app-${number++}`,
    dockerHost: box.dockerHost,
    files: { Dockerfile: `FROM ${from}\nCOPY a.txt /\n`, 'a.txt': 'a\n' },
    version: '1.0.0',
    ...more,
  });
  const must = async (given: RunFacts) => {
    const { image, failure, log } = await run(given);
    if (!image || failure) throw new Error(`${failure?.code} ${failure?.message}\n${log}`);
    return { image, log };
  };

  it('builds with arguments and labels, shows what RUN says, and pushes', async () => {
    const dockerfile = `FROM ${from}\nARG GREET\nRUN echo "said $GREET"\nCOPY a.txt /\n`;
    const given = facts({
      files: { Dockerfile: dockerfile, 'a.txt': 'a' },
      settings: { 'build-args': 'GREET=wörld' },
    });
    const { image, log } = await must(given);
    expect(log).toContain('said wörld');
    const contents = await contentsAt(`${given.image}@${image.digest}`);
    expect(contents.platforms[0]!.labels).toMatchObject(image.labels);
    expect(contents.platforms[0]!.labels['dev.knowngood.recipe']).toBe(image.recipeDigest);
  });

  it('builds on a base that is named by its digest, whatever its tag is on now', async () => {
    const first = await makeImage([[{ path: 'which', content: `first ${engine}` }]]);
    const second = await makeImage([[{ path: 'which', content: `second ${engine}` }]]);
    const reference = await box.image('moved/base', '1', first);
    await box.image('moved/base', '1', second);
    const dockerfile = `FROM ${reference}@${first.digest}\nCOPY a.txt /\n`;
    const { image } = await must(facts({ files: { Dockerfile: dockerfile, 'a.txt': 'a' } }));
    expect(image.labels['org.opencontainers.image.base.digest']).toBe(first.digest);
    const { platforms } = await contentsAt(`${image.image}@${image.digest}`);
    expect(JSON.parse(Buffer.from(platforms[0]!.config.bytes).toString()).rootfs.diff_ids[0]).toBe(
      (JSON.parse(Buffer.from(first.config.bytes).toString()) as { rootfs: { diff_ids: string[] } }).rootfs
        .diff_ids[0],
    );
  });

  it('does not take labels and arguments of an earlier build', async () => {
    const dockerfile = `FROM ${from}\nARG WANT\nRUN echo "want $WANT" > /want\nLABEL want=$WANT\n`;
    for (const want of ['one', 'two']) {
      const given = facts({
        files: { Dockerfile: dockerfile },
        settings: { 'build-args': `WANT=${want}` },
        commit: commitNamed(want),
      });
      const { image } = await must(given);
      expect(image.labels).toMatchObject({ want, 'dev.knowngood.revision': commitNamed(want) });
    }
  });

  it('pulls a private base with the credential of its host, and of no other', async () => {
    const guarded = await box.startRegistry({ auth: 'token' });
    const { username, password } = guarded.account!;
    const base = await makeImage([[{ path: 'base.txt', content: `base ${engine}` }]]);
    const reference = `${guarded.host}/private/base:1`;
    const registry = outsider(guarded.account);
    const place = parseReference(reference);
    for (const blob of [base.config, ...base.layers])
      await registry.putBlob(place, blob.digest as never, blob.bytes);
    await registry.putManifest(place, { bytes: base.manifest, mediaType: base.mediaType });
    const given = facts({ files: { Dockerfile: `FROM ${reference}\nCOPY a.txt /\n`, 'a.txt': 'a' } });
    expect((await run(given)).failure?.code).toMatch(/registry-denied|base-unresolved/);
    const registries = JSON.stringify({ [guarded.host]: { username, password } });
    const { image, log } = await must({ ...given, settings: { registries } });
    expect(image.labels['org.opencontainers.image.base.digest']).toBe(base.digest);
    expect(log).not.toContain(password);
  });

  it('makes an index of several platforms without buildx', async () => {
    const given = facts({
      files: { Dockerfile: 'FROM scratch\nCOPY a.txt /\n', 'a.txt': 'a' },
      settings: { platforms: 'linux/arm64, linux/amd64' },
    });
    const { image } = await must(given);
    expect(Object.keys(image.platforms).sort()).toEqual(['linux/amd64', 'linux/arm64']);
    const raw = await outsider().manifest(withDigest(parseReference(given.image), image.digest!));
    const index = parseManifest(raw!.bytes, raw!.mediaType);
    expect(index.kind).toBe('index');
    expect(index.annotations['org.opencontainers.image.version']).toBe('1.0.0');
    const stage = `sha-${commitNamed('one').slice(0, 12)}`;
    expect(await tagsOf(given.image)).toEqual([stage, `${stage}-linux-amd64`, `${stage}-linux-arm64`]);
  });

  it('says of a failed RUN where, what, how, and the last lines', async () => {
    const dockerfile = `FROM ${from}\n\nRUN echo first; \\\n  echo second >&2; exit 9\n`;
    const { failure, log } = await run(facts({ files: { Dockerfile: dockerfile } }));
    expect(failure?.code).toBe('build-failed');
    expect(failure?.findings[0]?.at).toEqual({ file: 'Dockerfile', line: 3 });
    expect(failure?.message).toContain('RUN echo first');
    expect(failure?.message).toContain('exit code 9');
    expect(failure?.message).toMatch(/ {2}first[\s\S]*second|second[\s\S]*first/);
    expect(log).toContain('second');
  });

  it('names the host that a RUN could not reach', async () => {
    const dockerfile = `FROM ${from}\nRUN wget http://nowhere.invalid/x\n`;
    const { failure } = await run(facts({ files: { Dockerfile: dockerfile } }));
    expect(failure?.message).toContain('nowhere.invalid');
  });

  it('keeps an ignored Dockerfile out of the image', async () => {
    const dockerfile = `FROM ${from}\nCOPY . /app/\nRUN ls -a /app | tr '\\n' ' '\n`;
    const files = { Dockerfile: dockerfile, 'a.txt': 'a', '.dockerignore': 'Dockerfile\n' };
    const { log } = await must(facts({ files }));
    expect(log).toMatch(/\. \.\. (?:\.dockerignore )?a\.txt/);
  });
});
