import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { faultProxy } from '../../../sandbox/fault-proxy.ts';
import { makeImage, pushManifest } from '../../../sandbox/image.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { codes, makeScene, put, runDrift, type Scene } from './world.ts';

let box: Sandbox;
let scene: Scene;
beforeAll(async () => {
  box = await sandbox();
});
afterEach(() => scene?.stop());

/** Two releases, the second canonical, with its floating tags. */
async function settled(registry = box.registry.host): Promise<Scene> {
  scene = await makeScene(registry);
  await scene.release('1.0.0');
  await scene.promote('1.0.0');
  const { image } = await scene.release('1.1.0');
  await scene.promote('1.1.0');
  for (const tag of ['latest', '1', '1.1']) await put(scene.image, tag, image);
  const first = await makeImage([[{ path: 'version', content: '1.0.0' }]], {
    config: { Labels: { 'org.opencontainers.image.version': '1.0.0', 'dev.knowngood.version': '1.0.0' } },
  });
  await put(scene.image, '1.0', first);
  return scene;
}

const other = () => makeImage([[{ path: 'version', content: 'evil' }]]);

describe('a project in which everything agrees', () => {
  it('is clean, says so in the last lines, and remembers its releases only', async () => {
    const run = await runDrift(await settled());
    expect(run.findings).toEqual([]);
    expect(run.result?.outcome).toBe('done');
    expect(run.result?.reasons).toEqual(['clean']);
    expect(run.log.trimEnd().split('\n').slice(-3)).toEqual(['BEHIND=0', 'FINDINGS=0', 'VERDICT=clean']);
    const view = await scene.ledger.read('app');
    expect(view.baseline()).toMatchObject({
      schema: 'knowngood/drift/v1',
      releases: { '1.0.0': expect.any(Number), '1.1.0': expect.any(Number) },
    });
  });

  it('stays clean where an attestation is added to the image', async () => {
    await settled();
    const { registry, repository } = parseReference(scene.image);
    const tagged = (await (await fetchManifest(registry, repository, '1.1.0')).json()) as {
      mediaType: string;
    };
    // The image again, in an index with an attestation beside it, as BuildKit writes one.
    const attestation = await makeImage([[{ path: 'statement', content: '{}' }]]);
    await put(scene.image, 'attestation', attestation);
    const raw = await fetchManifest(registry, repository, '1.1.0');
    const digest = raw.headers.get('docker-content-digest')!;
    const size = Number(raw.headers.get('content-length'));
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const index = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType,
        manifests: [
          { mediaType: tagged.mediaType, digest, size, platform: { os: 'linux', architecture: 'amd64' } },
          {
            mediaType: attestation.mediaType,
            digest: attestation.digest,
            size: attestation.manifest.length,
            platform: { os: 'unknown', architecture: 'unknown' },
            annotations: {
              'vnd.docker.reference.type': 'attestation-manifest',
              'vnd.docker.reference.digest': digest,
            },
          },
        ],
      }),
    );
    for (const tag of ['1.1.0', 'latest']) await pushManifest(registry, repository, tag, mediaType, index);
    const run = await runDrift(scene);
    expect(codes(run)).toEqual([]);
  });
});

async function fetchManifest(registry: string, repository: string, tag: string): Promise<Response> {
  return fetch(`http://${registry}/v2/${repository}/manifests/${tag}`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
}

describe('each contradiction, alone', () => {
  it.each<[string, string[], () => Promise<void>]>([
    [
      'the same version with other content',
      ['digest-drift'],
      async () => put(scene.image, '1.1.0', await other()),
    ],
    [
      'an older promoted version with other content',
      ['digest-drift'],
      async () => put(scene.image, '1.0.0', await other()),
    ],
    [
      'a floating tag at foreign content',
      ['floating-wrong'],
      async () => put(scene.image, 'latest', await other()),
    ],
    [
      'a floating tag that did not follow',
      ['floating-behind'],
      async () =>
        put(
          scene.image,
          'latest',
          (
            await scene.release('1.0.0-copy', {
              unpublished: true,
              content: '1.0.0',
              labels: {
                'org.opencontainers.image.version': '1.0.0',
                'dev.knowngood.version': '1.0.0',
              },
            })
          ).image,
        ),
    ],
    [
      'a tag that was moved',
      ['canonical-tag-moved', 'untagged-ahead'],
      async () => {
        await scene.repository.commit('after');
        await scene.repository.git('tag', '-f', '1.1.0');
        await scene.repository.commit('more');
      },
    ],
    [
      'a tag that is gone',
      ['canonical-ahead', 'canonical-orphaned', 'unreleased-tag', 'untagged-ahead'],
      async () => {
        await scene.repository.git('tag', '-d', '1.1.0');
      },
    ],
    [
      'a release that was not promoted',
      ['new-release', 'unpublished-release'],
      async () => {
        await scene.release('1.2.0', { unpublished: true });
      },
    ],
    ['a tag that nobody released', ['unreleased-tag'], async () => put(scene.image, '1.9.0', await other())],
    [
      'a record that is damaged',
      ['record-corrupt'],
      async () =>
        writeFileSync(
          join(scene.root, 'ledger', 'app', 'canonical.json'),
          '{"schema": "knowngood/canonical/v1"}\n',
        ),
    ],
  ])('%s: %j', async (_, expected, change) => {
    await settled();
    await change();
    const run = await runDrift(scene);
    expect(codes(run)).toEqual(expected);
  });

  it('a record whose trail is broken is an error, never drift', async () => {
    await settled();
    writeFileSync(join(scene.root, 'ledger', 'app', 'promotions.ndjson'), '');
    const run = await runDrift(scene);
    expect(run.result?.outcome).toBe('error');
    expect(codes(run)).toContain('record-untrusted');
  });

  it('a hold is told, and nothing more', async () => {
    await settled();
    const hold = {
      bad: ['1.2.0'],
      until: 'newer' as const,
      reason: 'it loses notes',
      by: 'me',
      at: '2026-01-01T00:00:00Z',
    };
    await scene.promote('1.1.0', { kind: 'hold', hold });
    await scene.release('1.2.0');
    const run = await runDrift(scene, { checks: 'canonical' });
    expect(codes(run)).toEqual(['hold-active']);
  });

  it('entries of knowngood.yml that do nothing are told with their place', async () => {
    await settled();
    await scene.repository.commit('configuration', {
      'knowngood.yml': 'known-broken:\n  - { version: "0.5.0", reason: "there is no such release" }\n',
    });
    const run = await runDrift(scene, { checks: 'canonical' });
    expect(codes(run)).toEqual(['known-broken-unused']);
    expect(run.findings[0]?.at).toMatchObject({ file: 'knowngood.yml', line: 1 });
  });

  it('a release that waits for its test is overdue after its first sight, not at it', async () => {
    await settled();
    await scene.release('1.2.0');
    const day = 24 * 60 * 60_000;
    const start = Date.parse('2026-06-01T00:00:00Z');
    const checks = { checks: 'canonical' };
    expect(codes(await runDrift(scene, checks, { now: start }))).toEqual(['new-release']);
    expect(codes(await runDrift(scene, checks, { now: start + 7 * day }))).toEqual(['new-release']);
    expect(codes(await runDrift(scene, checks, { now: start + 9 * day }))).toEqual([
      'new-release',
      'sweep-overdue',
    ]);
  });

  it('what is recorded of the base is compared with what it is now', async () => {
    scene = await makeScene(box.registry.host);
    const base = `${scene.image}-base`;
    const [before, after] = [await makeImage([[{ path: 'os', content: '1' }]]), await other()];
    await put(base, '1', before);
    await scene.release('1.0.0', {
      labels: {
        'org.opencontainers.image.base.name': `${base}:1`,
        'org.opencontainers.image.base.digest': before.digest,
      },
    });
    await scene.promote('1.0.0');
    expect(codes(await runDrift(scene, { checks: 'base' }))).toEqual([]);
    await put(base, '1', after);
    expect(codes(await runDrift(scene, { checks: 'base' }))).toEqual(['base-image-moved']);
  });
});

describe('an outage', () => {
  it.each<[string, number]>([
    ['no login is taken', 401],
    ['it is forbidden', 403],
    ['the registry is down', 500],
  ])('is an error, never clean and never absence: %s', async (_, status) => {
    const proxy = await faultProxy(box.registry.host);
    try {
      await settled(proxy.host);
      proxy.fault({ path: /\/(?:manifests|tags)\//, times: Number.POSITIVE_INFINITY, how: { status } });
      const run = await runDrift(scene, { checks: 'release,canonical,floating,base' }, hurried);
      expect(run.result?.outcome).toBe('error');
      expect(run.result?.outputs['drift-verdict']).toBe('error');
      expect(codes(run)).toEqual(['cannot-determine']);
      // One outage, not one finding for each question.
      expect(run.findings).toHaveLength(1);
      expect(run.findings[0]?.message).toMatch(/^\d things could not be looked up/);
      // Who took too long is not known; who refused is.
      if (status !== 500) expect(run.findings[0]?.message).toContain(` at ${proxy.host}: `);
      expect(run.findings[0]).not.toHaveProperty('open');
      expect(run.log).toContain('VERDICT=error');
    } finally {
      await proxy.stop();
    }
  });

  it('that passes is waited for: 429 with a time to wait is asked again', async () => {
    const proxy = await faultProxy(box.registry.host);
    try {
      await settled(proxy.host);
      proxy.fault({ path: /manifests/, times: 3, how: { status: 429, headers: { 'retry-after': '1' } } });
      const run = await runDrift(scene, { checks: 'canonical' });
      expect(codes(run)).toEqual([]);
      expect(proxy.requests.filter(({ status }) => status === 429)).toHaveLength(3);
    } finally {
      await proxy.stop();
    }
  });

  it('of the repository is an error with a verdict', async () => {
    await settled();
    const run = await runDrift(scene, { repository: join(scene.root, 'gone') });
    expect(run.result?.outcome).toBe('error');
    expect(run.result?.outputs['drift-verdict']).toBe('error');
  });
});

/** The budget is over at once; what has not answered by then is told. */
const hurried = {
  tools: (tools: { clock: { now(): number; random(): number } }) => ({
    clock: {
      ...tools.clock,
      sleep: (_: number, ended?: AbortSignal) =>
        new Promise<void>((done) => {
          const timer = setTimeout(done, 3000);
          ended?.addEventListener('abort', () => {
            clearTimeout(timer);
            done();
          });
        }),
    },
  }),
};
