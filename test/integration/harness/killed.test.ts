import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { removeJournalledRuns } from '../../../src/harness/clean-up.ts';
import type { TestPlan } from '../../../src/harness/plan.ts';
import { bundleChild } from './child-bundle.ts';
import type { RunRequest } from './request.ts';
import { anonymousVolumes, leftovers, ofImage, openTrial, type Trial, verdicts } from './trial.ts';

let trial: Trial;
let child: string;
let image: string;
beforeAll(async () => {
  trial = await openTrial();
  child = join(trial.folder('child'), 'run-child.mjs');
  await bundleChild(child);
  image = await trial.image('killed', '1', [{ path: 'srv/index.html', content: 'hello' }], {
    Cmd: ['httpd', '-f', '-p', '8000', '-h', '/srv'],
  });
});
afterAll(() => trial.close());

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const process of running) process.kill('SIGKILL');
});

interface Running {
  readonly process: ChildProcess;
  /** Waits until the child has printed this. */
  said(text: string): Promise<void>;
  readonly ended: Promise<{ code: number | null; signal: string | null; output: string }>;
}

function start(request: RunRequest): Running {
  mkdirSync(request.out, { recursive: true });
  const file = join(request.out, '..', `request-${request.id}.json`);
  writeFileSync(file, JSON.stringify(request));
  const process_ = spawn(process.execPath, [child, file], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(process_);
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [process_.stdout, process_.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output += bytes.toString();
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<{ code: number | null; signal: string | null; output: string }>((resolve) =>
    process_.on('close', (code, signal) => {
      running.delete(process_);
      for (const listener of listeners) listener();
      resolve({ code, signal, output });
    }),
  );
  const said = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (output.includes(text)) resolve();
        else if (!running.has(process_)) reject(new Error(`it ended before it said ${text}: ${output}`));
      };
      listeners.add(look);
      look();
    });
  return { process: process_, said, ended };
}

const ready = { how: { kind: 'http', path: '/' }, timeoutMs: 60_000 } as const;
const imagePlan = {
  deploy: {
    kind: 'image',
    ports: [{ container: 8000 }],
    volumes: [
      { kind: 'volume', source: 'data', target: '/data', readOnly: false },
      { kind: 'bind', source: 'settings', target: '/settings', readOnly: true },
    ],
  },
  ready,
  check: [{ kind: 'run', command: 'sleep 1000' }],
  tiers: [{ name: 'install' }],
} as const satisfies Partial<TestPlan>;

/** A run that is in the middle of its check; it has a container, one for the check, a network and volumes. */
async function inItsCheck(): Promise<{ request: RunRequest; run: Running }> {
  const folder = trial.folder('tree');
  mkdirSync(join(folder, 'settings'), { recursive: true });
  writeFileSync(join(folder, 'settings', 'a'), 'a');
  const request = trial.request(imagePlan, ofImage('candidate', '1.0.0', image, { folder }));
  const run = start(request);
  await run.said('"name":"ready 1.0.0"');
  await seen(request.id, '-run-1');
  return { request, run };
}

/** A run whose `docker compose up` waits for a service that never gets healthy. */
async function inItsUp(): Promise<{ request: RunRequest; run: Running }> {
  const folder = trial.folder('application');
  writeFileSync(
    join(folder, 'compose.yml'),
    `
services:
  app: { image: "${image}", depends_on: { db: { condition: service_healthy } } }
  db:
    image: "${image}"
    command: ["sleep", "1000"]
    volumes: ["data:/data"]
    healthcheck: { test: ["CMD", "false"], interval: 10s, retries: 100 }
volumes: { data: {} }
`,
  );
  const request = trial.request(
    { ...imagePlan, deploy: { kind: 'compose', files: ['compose.yml'], profiles: [] } },
    { ...ofImage('candidate', '1.0.0', image), folder },
  );
  const run = start(request);
  await seen(request.id, '-db-1');
  return { request, run };
}

/** Waits until a container of the run with this in its name runs. */
async function seen(id: string, part: string): Promise<void> {
  for (const until = Date.now() + 30_000; Date.now() < until; ) {
    const found = await trial.docker.listContainers({ filters: { name: [`kg-${id}`] } });
    if (found.some(({ Names }) => Names[0]?.includes(part))) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no container ${part} of ${id} came`);
}

const situations = [
  ['its check', inItsCheck],
  ['`docker compose up`', inItsUp],
] as const;

describe.each(situations)('a run that is ended in the middle of %s', (_, begin) => {
  it.each(['SIGINT', 'SIGTERM'] as const)('by %s takes everything with it', async (signal) => {
    const volumes = await anonymousVolumes(trial.docker);
    const { request, run } = await begin();
    run.process.kill(signal);
    const { code, output } = await run.ended;
    expect(output).toContain('{"failed":"cancelled"}');
    expect(code).toBe(2);
    expect(await leftovers(trial.docker, request.id, request.out)).toEqual([]);
    expect(await anonymousVolumes(trial.docker)).toBe(volumes);
  });

  it('by SIGKILL is cleaned up by the hook after the job, from its journal', async () => {
    const { request, run } = await begin();
    run.process.kill('SIGKILL');
    expect((await run.ended).signal).toBe('SIGKILL');
    expect(readdirSync(request.out)).toContain(`journal-${request.id}.ndjson`);
    expect(await leftovers(trial.docker, request.id)).not.toEqual([]);
    const { removed, left } = await removeJournalledRuns(
      async () => trial.docker,
      join(request.out, '..'),
      20_000,
    );
    expect(left).toEqual([]);
    expect(removed).toBeGreaterThan(0);
    expect(await leftovers(trial.docker, request.id, request.out)).toEqual([]);
  });

  it('by SIGKILL is cleaned up by the next run, which lets a living one be', async () => {
    const dead = await begin();
    const living = await inItsCheck();
    dead.run.process.kill('SIGKILL');
    await dead.run.ended;
    const next = await trial.run({
      plan: { ...imagePlan, check: [] },
      candidate: ofImage('candidate', '1.0.0', image, { folder: trial.folder('tree') }),
    });
    expect(verdicts(next.result)).toEqual({ install: 'pass' });
    expect(next.said).toContain('Removed what a killed run had left behind.');
    expect(await leftovers(trial.docker, dead.request.id)).toEqual([]);
    expect(await leftovers(trial.docker, next.id, next.out)).toEqual([]);
    expect(await leftovers(trial.docker, living.request.id)).toContain(
      `container /kg-${living.request.id}-install-app`,
    );
    living.run.process.kill('SIGTERM');
    expect((await living.run.ended).output).toContain('{"failed":"cancelled"}');
    expect(await leftovers(trial.docker, living.request.id, living.request.out)).toEqual([]);
  });
});
