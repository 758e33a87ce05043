import { expect, it } from 'vitest';
import { sandbox } from '../../../sandbox/index.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Tools } from '../../../src/steps/tools.ts';
import { type RunFacts, run } from './project.ts';
import { tagDigest } from './registry.ts';

const box = await sandbox();
const from = await box.base('busybox');

/** The real engine, of which one call goes another way. */
const changed = (change: (engine: Engine) => Partial<Engine>) => (tools: Tools) => ({
  engine: async () => {
    const engine = await tools.engine();
    return { ...engine, ...change(engine) };
  },
});

const facts = (name: string, more: Partial<RunFacts> = {}): RunFacts => ({
  image: `${box.registry.host}/what-was-built/${name}-${process.pid}`,
  dockerHost: box.dockerHost,
  files: { Dockerfile: `FROM ${from}\nCOPY a.txt /\n`, 'a.txt': `${name}\n` },
  version: '1.0.0',
  settings: { publish: 'on-push' },
  ...more,
});

it('an image without a label that was asked for is not released', async () => {
  const forgets = changed((engine) => ({
    build: ({ labels, ...request }, onProgress) => {
      const { 'dev.knowngood.revision': _, ...kept } = labels;
      return engine.build({ ...request, labels: kept }, onProgress);
    },
  }));
  const given = facts('forgets', { tools: forgets });
  const { failure } = await run(given);
  expect(failure).toMatchObject({
    code: 'engine-failed',
    message: expect.stringContaining('dev.knowngood.revision'),
  });
  expect(await tagDigest(given.image, '1.0.0')).toBeUndefined();
});

it('an image that another job put under our tag before the push is not taken for ours', async () => {
  const other = await run(facts('other'));
  expect(other.failure).toBeUndefined();
  const overtaken = changed((engine) => ({
    push: async (repository, tag, ...rest) => {
      await engine.docker.getImage(other.image!.imageId!).tag({ repo: repository, tag });
      return engine.push(repository, tag, ...rest);
    },
  }));
  const given = facts('ours', { tools: overtaken });
  const { failure } = await run(given);
  expect(failure).toMatchObject({
    code: 'engine-failed',
    message: expect.stringContaining('is not the image that was built'),
  });
  expect(await tagDigest(given.image, '1.0.0')).toBeUndefined();
});

it('a release is built without caches that others can write, a change with them', async () => {
  for (const [context, cacheFrom] of [
    ['release', []],
    ['change', ['registry.example.org/cache:1']],
  ] as const) {
    const asked: (readonly string[])[] = [];
    const watched = changed((engine) => ({
      build: (request, onProgress) => {
        asked.push(request.cacheFrom);
        return engine.build({ ...request, cacheFrom: [] }, onProgress);
      },
    }));
    const settings = { 'cache-from': 'registry.example.org/cache:1', push: 'never' };
    const { failure, log } = await run(facts(`cache-${context}`, { context, settings, tools: watched }));
    expect(failure).toBeUndefined();
    expect(asked).toEqual([cacheFrom]);
    expect(log.includes('`cache-from` is left out')).toBe(context === 'release');
  }
});

it.each<[string, Partial<RunFacts>, boolean]>([
  [
    'a fork',
    { context: 'change', event: { kind: 'pull-request', pullRequest: { number: 7, fork: true } } },
    true,
  ],
  ['a candidate', { context: 'change', settings: { candidate: '1'.repeat(40), 'pull-request': '7' } }, true],
  [
    'a fork on a machine that is new each time',
    {
      context: 'change',
      event: {
        kind: 'pull-request',
        pullRequest: { number: 7, fork: true },
        run: { id: 'run-1', attempt: 1, runner: 'github-hosted' },
      },
    },
    false,
  ],
  ['a push', { context: 'change', event: { kind: 'push', branch: 'topic' } }, false],
  ['a release', {}, false],
])('whether %s is told that its engine should build no releases', async (name, more, told) => {
  const { failure, log } = await run(
    facts(name.replaceAll(' ', '-'), { ...more, settings: { ...more.settings, push: 'never' } }),
  );
  expect(failure).toBeUndefined();
  expect(log.includes('If it builds releases too')).toBe(told);
});

// Podman knows no names for the caches of different builders.
it.skipIf(box.engine.kind === 'podman')(
  'a cache mount that a change poisoned is not what a release mounts',
  async () => {
    const build = (context: 'change' | 'release', line: string) =>
      run(
        facts(`mount-${context}`, {
          context,
          files: {
            Dockerfile: `FROM ${from}\nRUN --mount=type=cache,id=kg${process.pid},target=/cache ${line}\n`,
          },
          settings: { push: 'never', 'skip-unchanged': 'false' },
        }),
      );
    const poisoned = await build('change', 'echo poison > /cache/lib.js');
    expect(poisoned.failure).toBeUndefined();
    // The next change has it, so that the attack is one.
    expect((await build('change', 'grep poison /cache/lib.js')).failure).toBeUndefined();
    expect((await build('release', 'test ! -e /cache/lib.js')).failure).toBeUndefined();
  },
);
