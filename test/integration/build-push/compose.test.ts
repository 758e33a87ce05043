import { describe, expect, it } from 'vitest';
import { makeImage } from '../../../sandbox/image.ts';
import { faultProxy, sandbox } from '../../../sandbox/index.ts';
import { type RunFacts, run } from './project.ts';
import { tagDigest } from './registry.ts';

const box = await sandbox();
const noEngine = 'unix:///nowhere/docker.sock';
const put = async (name: string, content: string) =>
  box.image(`compose/${name}-${process.pid}`, '1', await makeImage([[{ path: 'x', content }]]));

/** An application over two own images and one of somebody else. */
async function application(more: Record<string, string> = {}): Promise<RunFacts & { images: string[] }> {
  const images = await Promise.all(['web', 'worker', 'upstream'].map((name) => put(name, name)));
  const [web, worker, upstream] = images;
  const compose = [
    'services:',
    `  web: { image: '${web}', env_file: web.env, volumes: ['./conf:/etc/app:ro', 'data:/data'] }`,
    `  worker: { image: '${worker}', profiles: [jobs] }`,
    `  db: { image: '${upstream}' }`,
    'volumes: { data: {} }',
    '',
  ].join('\n');
  return {
    images,
    image: '',
    dockerHost: noEngine,
    compose: ['compose.yml'],
    version: '1.0.0',
    files: { 'compose.yml': compose, 'web.env': 'A=1\n', 'conf/app.ini': 'x', 'README.md': 'r', ...more },
  };
}
const recipeOf = async (facts: RunFacts) => {
  const { label, failure } = await run(facts);
  if (label?.recipeDigest === undefined) throw new Error(`${failure?.message}`);
  return { digest: label.recipeDigest, document: JSON.parse(label.recipeDocument) };
};

describe('a compose application', () => {
  it('has nothing to build: the step is skipped, asks no engine, and the line goes on', async () => {
    const { result, failure } = await run(await application());
    expect(failure).toBeUndefined();
    expect(result).toMatchObject({ outcome: 'skipped', reasons: ['no-own-image'] });
    expect(result?.section?.image).toMatchObject({ outcome: 'skipped', reasons: ['no-own-image'] });
  });

  it('has a recipe of the files it uses and of what every image resolves to', async () => {
    const facts = await application();
    const { document } = await recipeOf(facts);
    expect(document.files).toEqual(['compose.yml', 'conf/app.ini', 'web.env']);
    const digests = await Promise.all(facts.images.map((name) => tagDigest(name.slice(0, -2), '1')));
    expect(document.images).toMatchObject({
      web: { digest: digests[0] },
      worker: { digest: digests[1] },
      db: { digest: digests[2] },
    });
  });

  it('is another recipe with any of them, and the same with what it does not use', async () => {
    const facts = await application();
    const { digest } = await recipeOf(facts);
    expect((await recipeOf(facts)).digest).toBe(digest);
    expect((await recipeOf({ ...facts, files: { ...facts.files, 'README.md': 'other' } })).digest).toBe(
      digest,
    );
    for (const path of ['web.env', 'conf/app.ini']) {
      const other = await recipeOf({ ...facts, files: { ...facts.files, [path]: 'B=2\n' } });
      expect(other.digest, path).not.toBe(digest);
    }
    await put('worker', 'another worker');
    expect((await recipeOf(facts)).digest).not.toBe(digest);
  });

  it('has no digest while a registry does not say what an image is: unknown is not absent', async () => {
    const facts = await application();
    const proxy = await faultProxy(box.registry.host);
    proxy.fault({ path: /worker/, times: Number.POSITIVE_INFINITY, how: { status: 403 } });
    const files = Object.fromEntries(
      Object.entries(facts.files).map(([path, text]) => [
        path,
        String(text).replaceAll(box.registry.host, proxy.host),
      ]),
    );
    const { label } = await run({ ...facts, files });
    expect(label).toMatchObject({ reasons: ['labelled', 'recipe-unresolved'] });
    expect(label?.recipeDigest).toBeUndefined();
    await proxy.stop();
  });
});

describe('a repository with several own images', () => {
  it('is one recipe for each: folder, target or Dockerfile, each with a digest of its own', async () => {
    const from = await box.base('busybox');
    const files = {
      'web/Dockerfile': `FROM ${from}\nCOPY . /web/\n`,
      'web/a.txt': 'web',
      'worker/Dockerfile': `FROM ${from} AS small\nCOPY . /worker/\nFROM small AS large\nRUN true\n`,
      'worker/a.txt': 'worker',
    };
    const of = async (
      name: string,
      settings: Record<string, string>,
      changed: Record<string, string> = {},
    ) => {
      const image = `${box.registry.host}/several/${name}-${process.pid}`;
      const end = await run({
        image,
        settings,
        files: { ...files, ...changed },
        dockerHost: box.dockerHost,
        version: '1.0.0',
      });
      if (end.image?.digest === undefined) throw new Error(`${end.failure?.message}\n${end.log}`);
      expect(await tagDigest(image, end.image.stagedTags[0]!)).toBe(end.image.digest);
      return end.image;
    };
    const web = await of('web', { context: 'web' });
    const small = await of('small', { context: 'worker', target: 'small' });
    const large = await of('large', { context: 'worker' });
    expect(new Set([web, small, large].map(({ recipeDigest }) => recipeDigest)).size).toBe(3);
    // A change of one is none of the other.
    const after = await of('web', { context: 'web' }, { 'worker/a.txt': 'changed' });
    expect(after.recipeDigest).toBe(web.recipeDigest);
  });
});
