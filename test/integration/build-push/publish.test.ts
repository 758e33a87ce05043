import { describe, expect, it } from 'vitest';
import { makeImage } from '../../../sandbox/image.ts';
import { faultProxy, sandbox } from '../../../sandbox/index.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { commitNamed, type RunFacts, run } from './project.ts';
import { contentsAt, tagDigest, tagsOf } from './registry.ts';

const box = await sandbox();
const from = await box.base('busybox');
let number = 0;
const sha = (name: string) => `sha-${commitNamed(name).slice(0, 12)}`;
const facts = (more: Partial<RunFacts> = {}, host = box.registry.host): RunFacts => ({
  image: `${host}/publish/app-${process.pid}-${number++}`,
  dockerHost: box.dockerHost,
  files: { Dockerfile: `FROM ${from}\nCOPY a.txt /\n`, 'a.txt': 'a\n' },
  version: '1.0.0',
  ...more,
});
const must = async (given: RunFacts) => {
  const { image, result, failure, log } = await run(given);
  if (!image || failure) throw new Error(`${failure?.code} ${failure?.message}\n${log}`);
  return { image, result: result!, log };
};
const branch = { kind: 'push', branch: 'main', ref: 'refs/heads/main' } as const;

describe('what is pushed for which event', () => {
  it('a release stages, and publishes nothing', async () => {
    const given = facts();
    const { image, result } = await must(given);
    expect(await tagsOf(given.image)).toEqual([sha('one')]);
    expect(result.outputs).toMatchObject({
      digest: image.digest,
      'image-ref': `${given.image}@${image.digest}`,
      'staged-tags': JSON.stringify([sha('one')]),
      source: 'built',
      pushed: 'true',
      platforms: JSON.stringify(Object.keys(image.platforms)),
    });
  });

  it('a push to the release branch moves edge, each time', async () => {
    const given = facts({ context: 'change', event: branch });
    const first = await must(given);
    expect(await tagDigest(given.image, 'edge')).toBe(first.image.digest);
    const second = await must({
      ...given,
      commit: commitNamed('two'),
      files: { ...given.files, 'a.txt': 'b\n' },
    });
    expect(await tagDigest(given.image, 'edge')).toBe(second.image.digest);
    expect(await tagsOf(given.image)).toEqual(['edge', sha('one'), sha('two')].sort());
  });

  it.each<[string, Partial<RunFacts>]>([
    ['a pull request', { event: { kind: 'pull-request', pullRequest: { number: 7, fork: false } } }],
    ['another branch', { event: { kind: 'push', branch: 'topic' } }],
    [
      'the default branch, where the configuration names another release branch',
      {
        event: branch,
        tools: () => ({ releaseBranch: async () => ({ name: 'stable', tip: commitNamed('one') }) }),
      },
    ],
    ['push: never on the release branch', { event: branch, settings: { push: 'never' } }],
  ])('%s builds and pushes nothing', async (_, more) => {
    const given = facts({ context: 'change', ...more });
    const { image, result } = await must(given);
    expect(result.reasons).toEqual(['built', 'not-pushed']);
    expect(image.digest).toBeUndefined();
    expect(image.imageId).toMatch(/^sha256:/);
    expect(JSON.parse(result.outputs.platforms ?? '')).toEqual([expect.stringMatching(/^linux\/[a-z0-9]+/)]);
    expect(await tagsOf(given.image)).toEqual([]);
  });

  it('a fork pushes nothing, whatever is set, and no login is tried', async () => {
    const guarded = await box.startRegistry({ auth: 'htpasswd' });
    const proxy = await faultProxy(guarded.host);
    const given = facts(
      {
        context: 'change',
        event: { kind: 'pull-request', pullRequest: { number: 7, fork: true } },
        settings: {
          push: 'always',
          'registry-username': guarded.account!.username,
          'registry-password': guarded.account!.password,
        },
      },
      proxy.host,
    );
    const { result } = await must(given);
    expect(result.reasons).toEqual(['fork-no-push', 'built']);
    expect(proxy.requests).toEqual([]);
    await proxy.stop();
  });

  it('without credentials nothing is pushed where they are asked for', async () => {
    const guarded = await box.startRegistry({ auth: 'htpasswd' });
    const { result } = await must(facts({}, guarded.host));
    expect(result.reasons).toEqual(['fork-no-push', 'built']);
  });

  it('dry-run builds nothing and changes nothing', async () => {
    const given = facts({ settings: { 'dry-run': 'true' }, dockerHost: 'unix:///nowhere/docker.sock' });
    const { result, image } = await run(given);
    expect(result).toMatchObject({ outcome: 'done', outputs: { source: 'built', pushed: 'false' } });
    expect(image).toBeUndefined();
    expect(await tagsOf(given.image)).toEqual([]);
  });
});

describe('a registry that wants to know who is there', () => {
  it.each(['htpasswd', 'token'] as const)(
    'is pushed to with the credential of its host (%s)',
    async (auth) => {
      const guarded = await box.startRegistry({ auth });
      const { username, password } = guarded.account!;
      const given = facts(
        { settings: { 'registry-username': username, 'registry-password': password } },
        guarded.host,
      );
      const { image, log } = await must(given);
      expect(image.pushed).toBe(true);
      expect(log).not.toContain(password);
    },
  );

  it('is asked once for a permission it refuses, and the remedy fits', async () => {
    const guarded = await box.startRegistry({ auth: 'htpasswd' });
    const proxy = await faultProxy(guarded.host);
    const settings = { 'registry-username': guarded.account!.username, 'registry-password': 'wrong-canary' };
    const { failure, log } = await run(facts({ settings, context: 'release' }, proxy.host));
    expect(failure?.code).toBe('registry-denied');
    expect(failure?.remedy).toMatch(/registry-username|password/);
    expect(log + JSON.stringify(failure)).not.toContain('wrong-canary');
    await proxy.stop();
  });
});

describe('a version that is published on push', () => {
  const settings = { publish: 'on-push' };

  it('is put at the staged digest, + as _', async () => {
    const given = facts({ version: '3.0.1+v2.0.0', settings });
    const { image } = await must(given);
    expect(image.stagedTags).toEqual([sha('one'), '3.0.1_v2.0.0']);
    expect(await tagDigest(given.image, '3.0.1_v2.0.0')).toBe(image.digest);
  });

  it('is fine where the tag has the same content, whose digest then counts', async () => {
    const given = facts({ settings });
    const first = await must(given);
    const again = await must({ ...given, commit: commitNamed('one') });
    expect(again.image.digest).toBe(first.image.digest);
  });

  it('is refused where the tag has other content, which stays', async () => {
    const given = facts({ settings });
    const repository = parseReference(given.image).repository;
    await box.image(repository, '1.0.0', await makeImage([[{ path: 'x', content: 'x' }]]));
    const before = await tagDigest(given.image, '1.0.0');
    const { failure } = await run(given);
    expect(failure).toMatchObject({ code: 'dest-tag-conflict', outcome: 'refused' });
    expect(await tagDigest(given.image, '1.0.0')).toBe(before);
  });

  it('of two jobs at once with different content has one content, and one is refused', async () => {
    const given = facts({ settings });
    const jobs = ['a', 'b'].map((name) =>
      run({ ...given, commit: commitNamed(name), files: { ...given.files, 'a.txt': name } }),
    );
    const ends = await Promise.all(jobs);
    const won = ends.filter(({ image }) => image);
    const lost = ends.filter(({ failure }) => failure);
    expect(won).toHaveLength(1);
    expect(lost.map(({ failure }) => failure?.code)).toEqual(['dest-tag-conflict']);
    expect(await tagDigest(given.image, '1.0.0')).toBe(won[0]!.image!.digest);
  });

  it('is looked at before each try: what another job put while we waited stays', async () => {
    const other = await makeImage([[{ path: 'x', content: 'the other job' }]]);
    let tries = 0;
    const proxy = await faultProxy(box.registry.host, {
      intercept: async ({ method, path }) => {
        if (method !== 'PUT' || !path.endsWith('/manifests/1.0.0') || tries++ > 0) return undefined;
        await box.image(path.split('/').slice(2, -2).join('/'), '1.0.0', other);
        return { status: 503 };
      },
    });
    const given = facts({ settings }, proxy.host);
    const { failure } = await run(given);
    expect(failure).toMatchObject({ code: 'dest-tag-conflict', outcome: 'refused' });
    expect(tries).toBe(1);
    const there = given.image.replace(proxy.host, box.registry.host);
    expect(await tagDigest(there, '1.0.0')).toBe(other.digest);
    await proxy.stop();
  });

  it('is not decided where the look is not answered', async () => {
    const proxy = await faultProxy(box.registry.host);
    const given = facts({ settings }, proxy.host);
    await run({ ...given, settings: {} });
    proxy.fault({ path: /manifests\/1\.0\.0/, times: Number.POSITIVE_INFINITY, how: { status: 403 } });
    const { failure } = await run({ ...given, settings: { ...settings, 'skip-unchanged': 'false' } });
    expect(failure).toMatchObject({ code: 'cannot-determine', outcome: 'error' });
    await proxy.stop();
  });
});

describe('further tags', () => {
  it('are put, and stay where they are, unless overwriting is allowed', async () => {
    const given = facts({ settings: { tags: 'nightly' } });
    const first = await must(given);
    expect(first.image.stagedTags).toEqual([sha('one'), 'nightly']);
    const other = { ...given, commit: commitNamed('two'), files: { ...given.files, 'a.txt': 'b\n' } };
    expect((await run(other)).failure?.code).toBe('dest-tag-conflict');
    expect(await tagDigest(given.image, 'nightly')).toBe(first.image.digest);
    const allowed = await must({ ...other, settings: { tags: 'nightly', 'allow-overwrite': 'true' } });
    expect(await tagDigest(given.image, 'nightly')).toBe(allowed.image.digest);
  });

  it('that name a version never move', async () => {
    const settings = { tags: '2.0.0', 'allow-overwrite': 'true' };
    const given = facts({ settings });
    await must(given);
    const other = { ...given, commit: commitNamed('two'), files: { ...given.files, 'a.txt': 'b\n' } };
    expect((await run(other)).failure?.code).toBe('dest-tag-conflict');
  });
});

describe('a push that is disturbed', () => {
  it('leaves no tag when it is killed', async () => {
    const proxy = await faultProxy(box.registry.host);
    const given = facts({}, proxy.host);
    proxy.fault({ method: 'PUT', path: /manifests/, times: Number.POSITIVE_INFINITY, how: 'hang' });
    const abort = new AbortController();
    const waiting = run({ ...given, signal: abort.signal });
    while (!proxy.requests.some(({ method, path }) => method === 'PUT' && /manifests/.test(path))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    abort.abort();
    expect((await waiting).failure?.code).toBe('cancelled');
    await proxy.stop();
    expect(await tagsOf(given.image.replace(proxy.host, box.registry.host))).toEqual([]);
  });

  it.each<[string, Parameters<Awaited<ReturnType<typeof faultProxy>>['fault']>[0]]>([
    [
      'a 503 for the manifest',
      { method: 'PUT', path: /manifests/, how: { status: 503, body: '<html>busy</html>' } },
    ],
    [
      'a 429 for the manifest',
      { method: 'PUT', path: /manifests/, how: { status: 429, headers: { 'retry-after': '1' } } },
    ],
    ['a 502 page', { method: 'PUT', path: /manifests/, how: { status: 502, body: '<!DOCTYPE html>' } }],
    ['a lost answer to the manifest', { method: 'PUT', path: /manifests/, how: 'cut-after' }],
    ['a reset in the middle of a blob', { method: /PATCH|PUT/, path: /blobs\/uploads/, how: 'reset' }],
    [
      'an unknown upload',
      {
        method: 'PUT',
        path: /blobs\/uploads/,
        how: { status: 404, body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}' },
      },
    ],
    [
      'a digest that shows late',
      {
        method: 'HEAD',
        path: /manifests\/sha256/,
        times: 2,
        how: { status: 404, headers: { 'docker-distribution-api-version': 'registry/2.0' } },
      },
    ],
  ])('ends right after %s', async (_, fault) => {
    const proxy = await faultProxy(box.registry.host);
    const given = facts(
      { files: { Dockerfile: `FROM ${from}\nCOPY a.txt /\n`, 'a.txt': `${number} ${process.pid}\n` } },
      proxy.host,
    );
    proxy.fault(fault);
    const { image } = await must(given);
    expect(proxy.requests.some((request) => request.fault)).toBe(true);
    const contents = await contentsAt(`${given.image}:${sha('one')}`);
    expect(contents.manifest.digest).toBe(image.digest);
    await proxy.stop();
  });

  it('ends only when the tag shows, and not its digest alone', async () => {
    const proxy = await faultProxy(box.registry.host);
    const given = facts({}, proxy.host);
    const tag = new RegExp(`manifests/${sha('one')}$`);
    const headers = { 'docker-distribution-api-version': 'registry/2.0' };
    proxy.fault({ method: 'HEAD', path: tag, times: 3, how: { status: 404, headers } });
    await must(given);
    const looks = proxy.requests.filter(({ method, path }) => method === 'HEAD' && tag.test(path));
    expect(looks.length).toBeGreaterThan(3);
    expect(looks.at(-1)!.status).toBe(200);
    await proxy.stop();
  });

  it('does not repeat what is refused', async () => {
    const proxy = await faultProxy(box.registry.host);
    const denied = '{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}';
    proxy.fault({
      method: 'POST',
      path: /blobs\/uploads/,
      times: Number.POSITIVE_INFINITY,
      how: { status: 403, body: denied },
    });
    proxy.fault({
      method: 'PUT',
      path: /manifests/,
      times: Number.POSITIVE_INFINITY,
      how: { status: 403, body: denied },
    });
    const { failure, log } = await run(facts({}, proxy.host));
    expect(failure?.code).toBe('registry-denied');
    expect(failure?.remedy).toContain('Manage Actions access');
    expect(log).not.toMatch(/Try \d|in this way/);
    await proxy.stop();
  });
});
