import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { faultProxy } from '../../../sandbox/fault-proxy.ts';
import { makeImage } from '../../../sandbox/image.ts';
import { type Sandbox, sandbox } from '../../../sandbox/index.ts';
import type { Event } from '../../../src/hosts/host.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { canonicalJson } from '../../../src/recipe/canonical-json.ts';
import { codes, makeScene, put, runDrift, type Scene } from './world.ts';

let box: Sandbox;
let scene: Scene;
beforeAll(async () => {
  box = await sandbox();
});
afterEach(() => scene?.stop());

const fixture = fileURLToPath(new URL('../../fixtures/drift', import.meta.url));
const other = () => makeImage([[{ path: 'version', content: 'other' }]]);

/** Puts the fixture project into the scene's checkout, its placeholders filled in. */
function layFixture(texts: Readonly<Record<string, string>>): void {
  cpSync(join(fixture, 'project'), scene.repository.path, { recursive: true });
  for (const entry of readdirSync(scene.repository.path, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (!entry.isFile() || path.includes('/.git/')) continue;
    const filled = Object.entries(texts).reduce(
      (text, [name, value]) => text.replaceAll(name, value),
      readFileSync(path, 'utf8'),
    );
    writeFileSync(path, filled);
  }
}

describe('a project with every kind of pin and every kind of drift', () => {
  it('has each found, with line, column and what to write instead', async () => {
    scene = await makeScene(box.registry.host);
    const old = await scene.release('1.0.0');
    await scene.promote('1.0.0');
    const base = `${scene.image}-base`;
    const [before, side] = [await other(), `${scene.image}-side`];
    await put(base, '1', await makeImage([[{ path: 'os', content: 'new' }]]));
    await put(side, '1.0.0', before);
    await put(side, 'stable', before);
    const document = recipeOn({ reference: `${base}:1`, digest: before.digest });
    const good = await scene.release('2.0.0', {
      labels: {
        'org.opencontainers.image.base.name': `${base}:1`,
        'org.opencontainers.image.base.digest': before.digest,
        'dev.knowngood.recipe': `v1:${digestOf(document)}`,
        'dev.knowngood.inputs': document,
      },
    });
    await scene.promote('2.0.0');
    await scene.release('2.1.0', { unpublished: true });
    await put(scene.image, '1.2.0', await other());
    await put(scene.image, '3.0.0', await other());
    await put(scene.image, '1', old.image);
    await put(scene.image, '1.0', old.image);
    await put(scene.image, '2', old.image);
    await put(scene.image, '2.0', good.image);
    await put(scene.image, 'latest', await other());
    await put(scene.image, '1.0.0', await other());
    const texts = {
      APP_IMAGE: scene.image,
      SIDE_IMAGE: side,
      OLD_DIGEST: old.digest,
      GOOD_DIGEST: good.digest,
    };
    layFixture(texts);
    await scene.repository.commit('what is deployed');

    const policy = JSON.stringify({
      keys: [{ keyid: Buffer.alloc(32).toString('base64'), builder: 'https://ci.example.org' }],
      identities: [],
      repository: 'https://git.example.org/acme/app',
      predicates: ['https://slsa.dev/provenance/v1'],
    });
    const run = await runDrift(scene, { policy, 'report-to': 'summary, sarif' });
    const shown = run.findings.map(({ code, level, at, replacement }) =>
      [
        level,
        code,
        at === undefined ? '-' : [at.file, at.line, at.column].filter((part) => part !== undefined).join(':'),
        ...(replacement === undefined ? [] : [`«${replacement}»`]),
      ].join(' '),
    );
    const anonymous = shown.map((line) =>
      Object.entries({ ...texts, [`${'NEW'}_DIGEST`]: '' })
        .filter(([, value]) => value !== '')
        .sort(([, a], [, b]) => b.length - a.length)
        .reduce((text, [name, value]) => text.replaceAll(value, name), line)
        .replace(/sha256:[0-9a-f]{64}/g, 'ANY_DIGEST'),
    );
    expect(`${anonymous.join('\n')}\n`).toBe(readFileSync(join(fixture, 'expected.txt'), 'utf8'));
    expect(run.result?.outcome).toBe('refused');
    expect(run.result?.reasons).toEqual([
      'digest-drift',
      'floating-wrong',
      'recipe-differs',
      'version-disagrees',
    ]);
    expect(run.log).toMatch(/BEHIND=\d+\nFINDINGS=\d+\nVERDICT=drift\n$/);
    expect(run.result?.outputs.sarif).toMatch(/drift\.sarif$/);
  });
});

/** A recipe that no tree of this project gives, on the base that the image's labels name. */
const recipeOn = (base: { readonly reference: string; readonly digest: string }): string =>
  canonicalJson({
    schema: 'knowngood/recipe/v1',
    kind: 'image',
    context: '0'.repeat(64),
    dockerfile: { path: 'Dockerfile', digest: `sha256:${'0'.repeat(64)}` },
    platforms: [],
    buildArgs: {},
    bases: [base],
    labels: {},
  });

const pullRequest: Partial<Event> = {
  kind: 'pull-request',
  pullRequest: { number: 7, head: '0'.repeat(40), base: 'main', fork: true },
};

describe('a pull request', () => {
  it('never has a host asked that the release branch does not name', async () => {
    const asked: string[] = [];
    const stranger = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(404).end();
    });
    await new Promise<void>((done) => stranger.listen(0, '127.0.0.1', done));
    try {
      const host = `127.0.0.1:${(stranger.address() as AddressInfo).port}`;
      scene = await makeScene(box.registry.host);
      await scene.release('1.0.0', {
        files: { 'compose.yml': `services:\n  a:\n    image: ${scene.image}:1.0.0\n` },
      });
      await scene.repository.branch('attack');
      const files = { 'compose.yml': `services:\n  a:\n    image: ${host}/spy/${'secret'}:1.0.0\n` };
      const head = await scene.repository.commit('attack', files);
      const event = { ...pullRequest, pullRequest: { ...pullRequest.pullRequest!, head } };
      const wanted = { 'release-branch': 'main' };
      const run = await runDrift(scene, wanted, { event });
      expect(codes(run)).toEqual(['pin-unknown-host']);
      expect(run.findings[0]?.at).toEqual({ file: 'compose.yml', line: 3, column: 12 });
      expect(run.result?.outcome).toBe('done');
      expect(asked).toEqual([]);
      // Who allows the host has it asked; without the rule it would have been asked above.
      await runDrift(scene, { ...wanted, 'allowed-hosts': host }, { event });
      expect(asked.length).toBeGreaterThan(0);
    } finally {
      stranger.close();
    }
  });

  it('writes no memory and no issue', async () => {
    scene = await makeScene(box.registry.host);
    await scene.release('1.0.0');
    const head = await scene.repository.git('rev-parse', 'HEAD');
    const event = { ...pullRequest, pullRequest: { ...pullRequest.pullRequest!, head } };
    const run = await runDrift(scene, { 'report-to': 'issue' }, { event });
    expect(run.failure).toBeUndefined();
    expect((await scene.ledger.read('app')).baseline()).toBeUndefined();
  });

  it('may not lead out of the tree by a link', async () => {
    scene = await makeScene(box.registry.host);
    await scene.release('1.0.0');
    await scene.repository.git(
      'update-index',
      '--add',
      '--cacheinfo',
      '120000',
      await link('/etc/passwd'),
      'compose.yml',
    );
    await scene.repository.git('checkout', '--', 'compose.yml');
    const named = await runDrift(scene, { pins: 'compose.yml' });
    expect(named.result?.outcome).toBe('error');
    expect(named.log).not.toContain('root:');
    // Found by a pattern it is no file of the project's.
    expect(codes(await runDrift(scene, { checks: 'pins' }))).toEqual([]);
    async function link(target: string): Promise<string> {
      writeFileSync(join(scene.root, 'target'), target);
      return scene.repository.git('hash-object', '-w', join(scene.root, 'target'));
    }
  });
});

describe('a registry that wants tokens', () => {
  it('is asked for one token a repository, and each image once', async () => {
    const asked: string[] = [];
    const registry = createServer((request, response) => {
      const url = request.url ?? '';
      asked.push(`${request.headers.authorization === undefined ? 'anonymous ' : ''}${url.split('?')[0]}`);
      if (url.startsWith('/token')) {
        const scope = new URL(url, 'http://x').searchParams.get('scope') ?? '';
        asked.push(scope);
        response.end(JSON.stringify({ token: `for-${scope}`, expires_in: 300 }));
      } else if (request.headers.authorization === undefined) {
        const realm = `http://${request.headers.host}/token`;
        response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="x"` }).end();
      } else {
        response
          .writeHead(200, {
            'content-type': 'application/vnd.oci.image.manifest.v1+json',
            'docker-content-digest': `sha256:${'a'.repeat(64)}`,
          })
          .end();
      }
    });
    await new Promise<void>((done) => registry.listen(0, '127.0.0.1', done));
    try {
      const host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
      scene = await makeScene(host);
      const images = Array.from(
        { length: 60 },
        (_, n) => `  s${n}: {image: "${host}/x/app${n % 20}:1.0.${n % 3}"}`,
      );
      await scene.repository.commit('many', { 'compose.yml': `services:\n${images.join('\n')}\n` });
      const run = await runDrift(scene, { checks: 'pins' });
      expect(run.findings).toEqual([]);
      const manifests = asked.filter((path) => path.includes('/manifests/'));
      expect(manifests.filter((path) => !path.startsWith('anonymous'))).toHaveLength(60);
      // One question to learn what the host wants; then nothing is asked in vain.
      expect(manifests.filter((path) => path.startsWith('anonymous'))).toHaveLength(1);
      const scopes = asked.filter((path) => path.startsWith('repository:'));
      expect(scopes).toHaveLength(20);
      expect(new Set(scopes).size).toBe(20);
    } finally {
      registry.close();
    }
  });
});

describe('many pins', () => {
  it('10,000 of 500 images are 500 manifest requests', async () => {
    const proxy = await faultProxy(box.registry.host, {
      intercept: ({ path }) =>
        path.includes('/manifests/')
          ? {
              status: 200,
              headers: {
                'content-type': 'application/vnd.oci.image.manifest.v1+json',
                'docker-content-digest': `sha256:${'a'.repeat(64)}`,
              },
            }
          : undefined,
    });
    try {
      scene = await makeScene(proxy.host);
      const line = (n: number) => `  s${n}:\n    image: ${proxy.host}/many/app${n % 500}:1.0.0\n`;
      const files = Object.fromEntries(
        Array.from({ length: 20 }, (_, file) => [
          `compose.${file}.yml`,
          `services:\n${Array.from({ length: 500 }, (_, n) => line(n)).join('')}`,
        ]),
      );
      await scene.repository.commit('many', files);
      const run = await runDrift(scene, { checks: 'pins' });
      expect(run.log).toContain('10000 image references in 20 files');
      expect(run.findings).toEqual([]);
      expect(proxy.requests.filter(({ path }) => path.includes('/manifests/'))).toHaveLength(500);
    } finally {
      await proxy.stop();
    }
  });
});
