import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sandbox } from '../../sandbox/index.ts';
import { hostProgram } from './programs.ts';

/** One pipeline as Drone's server would hand it to a runner. */
export interface PipelineRun {
  readonly pipeline: string;
  /** The pipeline's own name in its file. */
  readonly name: string;
  readonly event: 'tag' | 'push' | 'pull_request' | 'cron' | 'custom' | 'promote';
  readonly ref: string;
  readonly sha: string;
  /** Clone URL as containers reach it. */
  readonly url: string;
  /** Image of the clone step. */
  readonly clone: string;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Name of the cron job. */
  readonly cron?: string;
  /** `owner/name`; `acme/notes` where nothing is said. */
  readonly slug?: string;
  /** Of a custom build. */
  readonly params?: Readonly<Record<string, string>>;
  /** For every step: the runner's DRONE_RUNNER_ENV_FILE. */
  readonly environ?: Readonly<Record<string, string>>;
}

export interface StepEnd {
  readonly name: string;
  /** Drone's word: `success`, `failure`, `skipped`, `killed`. */
  readonly status: string;
  readonly code: number;
  readonly log: string;
  /** The adaptive card that the runner took out of the log. */
  readonly card?: { readonly schema: string; readonly data: unknown };
}

export interface PipelineEnd {
  readonly status: string;
  readonly error: string;
  readonly steps: readonly StepEnd[];
}

export interface RunningPipeline {
  readonly end: Promise<PipelineEnd>;
  /** What a person does with "cancel". */
  cancel(): void;
  /** The log so far of the step with this name. */
  log(step: string): string;
}

interface Step {
  id: number;
  number: number;
  name: string;
  status: string;
  exit_code: number;
  error?: string;
}

interface Stage {
  id: number;
  status: string;
  error?: string;
  version: number;
  steps?: Step[];
}

/**
 * Runs a pipeline by `drone-runner-docker daemon`, against a server that has just this one stage. (Its `exec` crashes
 * on every pipeline that names a secret, and has neither clone step nor cards.)
 */
export async function startPipeline(box: Sandbox, run: PipelineRun): Promise<RunningPipeline> {
  let stage: Stage = { id: 1, status: 'pending', version: 1 };
  let given = false;
  let cancelled = false;
  let wakeWatcher = (): void => undefined;
  let finish: (end: PipelineEnd) => void = () => undefined;
  const end = new Promise<PipelineEnd>((resolve) => {
    finish = resolve;
  });
  const steps = new Map<number, Step>();
  const logs = new Map<number, string>();
  const cards = new Map<number, StepEnd['card']>();
  const merge = (step: Step): Step => {
    const merged = { ...steps.get(step.number), ...step, id: step.number };
    steps.set(step.number, merged);
    return merged;
  };

  const answer = async (method: string, path: string, body: unknown): Promise<unknown> => {
    if (path === '/rpc/v2/stage') {
      // The second request is for more work, of which there is none: only now it has cleaned up after the first.
      if (given) {
        finish(ended());
        return new Promise(() => undefined);
      }
      given = true;
      return { ...details(run).stage };
    }
    if (/^\/rpc\/v2\/stage\/1/.test(path)) {
      if (method === 'GET') return details(run);
      if (method === 'POST') return stage;
      stage = body as Stage;
      stage.steps = (stage.steps ?? []).map(merge);
      return stage;
    }
    if (path.endsWith('/watch')) {
      if (!cancelled)
        await new Promise<void>((resolve) => {
          wakeWatcher = resolve;
        });
      return {};
    }
    const [, id, what] = /^\/rpc\/v2\/step\/(\d+)(?:\/(.+))?$/.exec(path) ?? [];
    if (what === undefined && id !== undefined) return merge(body as Step);
    if (what === 'logs/batch')
      logs.set(
        Number(id),
        (logs.get(Number(id)) ?? '') + (body as { out: string }[]).map(({ out }) => out).join(''),
      );
    if (what === 'card') {
      const { schema, data } = body as { schema: string; data: unknown };
      cards.set(Number(id), { schema, data });
    }
    return {};
  };
  const ended = (): PipelineEnd => ({
    status: stage.status,
    error: stage.error ?? '',
    steps: [...steps.values()].map(({ number, name, status, exit_code, error }) => {
      const card = cards.get(number);
      const log = (logs.get(number) ?? '') + (error ? `\n${error}` : '');
      return { name, status, code: exit_code, log, ...(card === undefined ? {} : { card }) };
    }),
  });

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const path = (request.url ?? '').split('?')[0]!;
    const body = text.trim() === '' ? undefined : JSON.parse(text);
    const value = await answer(request.method ?? '', path, body);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const environ = join(mkdtempSync(join(tmpdir(), 'knowngood-drone-')), 'environ');
  const pairs = Object.entries(run.environ ?? {}).map(([name, value]) => `${name}="${value}"`);
  writeFileSync(environ, pairs.join('\n'));
  const runner = spawn(hostProgram('drone-runner-docker')!.path, ['daemon'], {
    env: {
      ...process.env,
      ...box.env,
      DRONE_RPC_HOST: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      DRONE_RPC_SECRET: 'shared-between-the-two',
      DRONE_HTTP_BIND: '127.0.0.1:0',
      DRONE_UI_DISABLE: 'true',

      DRONE_RUNNER_CAPACITY: '1',
      DRONE_RUNNER_CLONE_IMAGE: run.clone,
      DRONE_RUNNER_ENV_FILE: environ,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  runner.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  runner.on('close', (code) => {
    finish({ status: 'runner ended', error: `${code}: ${said}`, steps: [] });
  });
  const stopped = end.finally(() => {
    runner.kill('SIGKILL');
    server.closeAllConnections();
    server.close();
  });
  return {
    end: stopped,
    cancel: () => {
      cancelled = true;
      wakeWatcher();
    },
    log: (name) => {
      const step = [...steps.values()].find((one) => one.name === name);
      return step === undefined ? '' : (logs.get(step.number) ?? '');
    },
  };
}

/** What a server tells about a stage. */
function details(run: PipelineRun) {
  const page = run.url.replace(/\.git$/, '');
  const [namespace, name] = (run.slug ?? 'acme/notes').split('/');
  const now = Math.floor(Date.now() / 1000);
  return {
    repository: {
      ...{ id: 1, namespace, name, slug: `${namespace}/${name}`, default_branch: 'main' },
      ...{ git_http_url: run.url, link: page, timeout: 10, trusted: true, visibility: 'public' },
    },
    build: {
      ...{ id: 1, number: 7, event: run.event, ref: run.ref, after: run.sha, target: 'main', source: 'main' },
      ...{ trigger: 'maintainer', author_login: 'maintainer', link: `${page}/commit/${run.sha}` },
      ...{ message: 'a commit message', started: now, created: now, params: run.params ?? {} },
      ...(run.cron === undefined ? {} : { cron: run.cron }),
    },
    stage: {
      ...{ id: 1, build_id: 1, number: 1, name: run.name, kind: 'pipeline', type: 'docker' },
      ...{ os: 'linux', arch: 'amd64', status: 'pending', version: 1, on_success: true, started: now },
    },
    config: { data: Buffer.from(run.pipeline).toString('base64') },
    netrc: null,
    secrets: Object.entries(run.secrets ?? {}).map(([name, data]) => ({ name, data, pull_request: true })),
    system: {
      proto: 'https',
      host: 'drone.example.org',
      link: 'https://drone.example.org',
      version: '2.26.0',
    },
  };
}
