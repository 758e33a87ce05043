import { createReadStream } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readBuildAnswer } from '../../../src/engine/build-answer.ts';
import type { Progress } from '../../../src/engine/engine.ts';
import { readMessages } from '../../../src/engine/message-stream.ts';
import { classifyPushFailure, pushFailure } from '../../../src/engine/push-failure.ts';
import { readPushAnswer } from '../../../src/engine/push-result.ts';
import type { Failure } from '../../../src/outcome.ts';

// Answers of real engines, byte for byte: Docker 20.10.24, 28.5.2 with both image stores, Podman 4.3.1.
const engines = ['docker-20', 'docker-28', 'docker-28-containerd', 'podman-4'] as const;
const builders = engines.flatMap((engine): [engine: string, builder: string][] =>
  engine === 'podman-4'
    ? [[engine, 'classic']]
    : [
        [engine, 'classic'],
        [engine, 'buildkit'],
      ],
);
/** Small, odd pieces: characters and lines are split everywhere. */
const recorded = (engine: string, name: string) =>
  createReadStream(`test/fixtures/engine/${engine}/${name}.ndjson`, { highWaterMark: 7 });

async function build(engine: string, builder: string, name: string) {
  const progress: Progress[] = [];
  let clock = 0;
  const stream = recorded(engine, `${builder}-${name}`);
  try {
    const { imageId } = await readBuildAnswer(
      stream,
      { dockerfile: 'Dockerfile', locate: (step) => ({ line: 99, text: step }) },
      builder === 'classic',
      () => (clock += 10),
      (event) => progress.push(event),
    );
    return { imageId, progress };
  } catch (cause) {
    return { failure: cause as Failure, progress };
  }
}

describe.each(builders)('%s, %s builder', (engine, builder) => {
  it('names the image and shows each step once, with its output', async () => {
    const { imageId, progress } = await build(engine, builder, 'good');
    expect(imageId).toMatch(/^sha256:[0-9a-f]{64}$/);
    const done = progress.filter((event) => event.status === 'done' && /RUN echo/.test(event.step));
    expect(done).toHaveLength(1);
    expect(done[0]?.cached).toBe(false);
    const lines = progress.flatMap(({ step, line }) =>
      line !== undefined && /RUN/.test(step) ? [line] : [],
    );
    expect(lines.toSorted()).toEqual(['héllo wörld', 'line 1', 'line 2', 'line 3', 'warn']);
  });

  it('says of a failed RUN what a person needs', async () => {
    const { failure, progress } = await build(engine, builder, 'run-fails');
    expect(failure?.code).toBe('build-failed');
    expect(failure?.message).toContain('Dockerfile:99: RUN echo before;   echo "going down" >&2; exit 7');
    expect(failure?.message).toContain('exit code 7');
    expect(failure?.message).toContain('  going down');
    expect(failure?.message).toContain('  before');
    expect(failure?.findings[0]?.at).toEqual({ file: 'Dockerfile', line: 99 });
    expect(progress.filter((event) => event.status === 'failed')).toHaveLength(1);
  });

  it('names the host that was not reached', async () => {
    const { failure } = await build(engine, builder, 'run-network');
    expect(failure?.message).toContain('could not reach nowhere.invalid');
  });

  it.each(['copy-missing', 'base-missing', 'base-private'])('fails for %s', async (name) => {
    expect((await build(engine, builder, name)).failure?.code).toBe('build-failed');
  });

  if (builder === 'buildkit') {
    it('finds the line of what cannot be parsed', async () => {
      expect((await build(engine, builder, 'syntax')).failure?.findings[0]?.at?.line).toBe(3);
    });
  }
});

it('tells cached steps of the classic builder', async () => {
  for (const engine of engines) {
    const { progress } = await build(engine, 'classic', 'good-again');
    const run = progress.find((event) => event.status === 'done' && /RUN echo/.test(event.step));
    expect(run?.cached, engine).toBe(true);
  }
});

it('tells cached steps of BuildKit', async () => {
  const { progress } = await build('docker-28', 'buildkit', 'run-fails');
  const from = progress.filter((event) => event.status === 'done' && /FROM/.test(event.step)).at(-1);
  expect(from?.cached).toBe(true);
});

describe.each(engines)('pushes to %s', (engine) => {
  const push = (name: string, tag = '1') => readPushAnswer(recorded(engine, `push-${name}`), tag, () => {});

  it.each(['good', 'again', 'basic'])('finds the digest of a push that worked (%s)', async (name) => {
    expect(await push(name)).toEqual({ digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  });

  it('takes no digest of another tag', async () => {
    expect(await push('good', 'other')).toEqual({ failed: expect.stringContaining('named no digest') });
  });

  it.each([
    ['anonymous', 'permission', 'registry-denied'],
    ['wrong-password', 'permission', 'registry-denied'],
    ['refused', 'transient', 'registry-unreachable'],
  ])('does not take a push for done that was %s', async (name, kind, code) => {
    const result = await push(name);
    const said = 'failed' in result ? result.failed : '';
    expect(classifyPushFailure(said, '127.0.0.1:5552/kg/private:1')).toBe(kind);
    expect(pushFailure(said, '127.0.0.1:5552', '127.0.0.1:5552/kg/private:1').code).toBe(code);
  });
});

it('reads a pull to its end', async () => {
  for (const engine of engines) {
    const messages = [];
    for await (const message of readMessages(recorded(engine, 'pull-good'))) messages.push(message);
    expect(messages.length, engine).toBeGreaterThan(1);
    expect(messages.some((message) => message.error || message.unreadable)).toBe(false);
  }
});
