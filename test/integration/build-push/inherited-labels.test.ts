import { expect, it } from 'vitest';
import { engineApi } from '../../../sandbox/docker-api.ts';
import { sandbox } from '../../../sandbox/index.ts';
import { commitNamed, run } from './project.ts';
import { contentsAt } from './registry.ts';

const box = await sandbox();
const from = await box.base('busybox');
const name = (what: string) => `${box.registry.host}/inherited/${what}-${process.pid}`;
const facts = (what: string, dockerfile: string, version: string) => ({
  image: name(what),
  dockerHost: box.dockerHost,
  files: { Dockerfile: dockerfile, 'a.txt': `${what}\n` },
  commit: commitNamed(what),
  version,
});

it('an image on one of ours that only the engine knows reports nothing of its base as its own', async () => {
  const unpushed = { context: 'change', settings: { push: 'never' } } as const;
  const base = await run({ ...facts('base', `FROM ${from}\nCOPY a.txt /base.txt\n`, '9.9.9'), ...unpushed });
  expect(base.failure, base.log).toBeUndefined();
  const ours = base.image!.labels;
  expect(ours['dev.knowngood.recipe']).toMatch(/^v1:sha256:/);
  // The registry answers that it has no such image.
  const tag = `/images/${base.image!.imageId}/tag?repo=${encodeURIComponent(name('only-here'))}&tag=1`;
  expect((await engineApi(box.dockerHost, 'POST', tag)).status).toBe(201);

  const child = await run(facts('child', `FROM ${name('only-here')}:1\nCOPY a.txt /child.txt\n`, '1.0.0'));
  expect(child.failure, child.log).toBeUndefined();
  const { platforms } = await contentsAt(`${child.image!.image}@${child.image!.digest}`);
  const { labels } = platforms[0]!;
  expect(labels).toMatchObject({
    'org.opencontainers.image.version': '1.0.0',
    'org.opencontainers.image.revision': commitNamed('child'),
    'org.opencontainers.image.base.digest': '',
    'dev.knowngood.version': '1.0.0',
    'dev.knowngood.recipe': '',
  });
  // Whatever the base says, the child says itself, if only that there is nothing to say.
  expect(Object.keys(ours).filter((label) => !(label in child.image!.labels))).toEqual([]);
  expect(labels).toMatchObject(child.image!.labels);
});
