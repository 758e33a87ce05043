import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { sandbox } from '../../../sandbox/index.ts';
import { makeRepository } from '../../../sandbox/repositories.ts';
import { readOutputsEnv } from './ci-job.ts';

const box = await sandbox();
const entry =
  process.env.KNOWNGOOD_BUNDLE ?? fileURLToPath(new URL('../../../dist/index.js', import.meta.url));

interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
  /** Resolves when the output has this text. */
  said(text: string): Promise<void>;
}

function start(args: readonly string[], cwd: string): Running {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd,
    env: box.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      for (const listener of listeners) listener();
    });
  return {
    process: child,
    ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, output }))),
    said: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (output.includes(text)) resolve();
        };
        listeners.add(look);
        look();
      }),
  };
}

async function project(dockerfile: string): Promise<string> {
  const repository = await makeRepository(join(mkdtempSync(join(tmpdir(), 'knowngood-cancelled-')), 'app'));
  await repository.commit('one', { Dockerfile: dockerfile });
  return repository.path;
}

describe.each(['SIGINT', 'SIGTERM'] as const)('a run that is ended by %s', (signal) => {
  it('while a registry does not answer says so, and leaves its outputs', async () => {
    let asked: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const silent = createServer(() => asked());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const cwd = await project(`FROM 127.0.0.1:${port}/base:1\n`);
    const run = start(['label,build-push', '--image', `${box.registry.host}/cancelled/app`], cwd);
    await waiting;
    run.process.kill(signal);
    const { code, output } = await run.ended;
    expect(output.trimEnd().split('\n').at(-1)).toBe('knowngood: label error cancelled');
    expect(code).toBe(2);
    expect(readOutputsEnv(cwd)).toMatchObject({ KNOWNGOOD_OUTCOME: 'error', KNOWNGOOD_REASON: 'cancelled' });
    silent.close();
  });

  it('in the middle of a build ends the build', async () => {
    const cwd = await project(`FROM ${await box.base('busybox')}\nRUN echo build-is-under-way; sleep 600\n`);
    const image = `${box.registry.host}/cancelled${process.pid}/app`;
    const run = start(['label,build-push', '--image', image, '--no-cache', '--push', 'always'], cwd);
    // Its first line: a step is told when it ends.
    await run.said('[1/2] FROM');
    run.process.kill(signal);
    const { code, output } = await run.ended;
    expect(output.trimEnd().split('\n').at(-1)).toBe('knowngood: build-push error cancelled');
    expect(code).toBe(2);
  });
});
