import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GitServer, gitServer } from '../../../sandbox/git-server.ts';
import { type Files, makeBareCopy, makeRepository, type Repository } from '../../../sandbox/repositories.ts';
import type { Dossier } from '../../../src/dossier/schema.ts';
import { githubHost } from '../../../src/hosts/github.ts';
import { runLine } from '../../../src/line.ts';
import type { OutcomeName } from '../../../src/outcome.ts';
import { readSettings } from '../../../src/settings/read.ts';
import { readOutputsEnv } from '../bundle/ci-job.ts';
import type { ForgeServer } from './forge-server.ts';
import { TOKEN } from './github-double.ts';
import { commentPayload } from './payloads.ts';
import { type Comment, NAME, OWNER, type World } from './world.ts';

export interface StepRun {
  readonly outcome: OutcomeName;
  /** First reason code. */
  readonly reason: string | undefined;
  readonly outputs: Readonly<Record<string, string>>;
  readonly log: string;
}

export interface Scene {
  readonly repository: Repository;
  /** The head of the pull request, which the remote has as `refs/pull/12/head`. */
  readonly head: string;
  /** A commit on top of it, not pushed yet. */
  readonly newer: string;
  /** Address of the repositories, as the CI names its server. */
  readonly url: string;
  readonly root: string;
  /** A workspace as a job has it before its first step. */
  workspace(): string;
  /** Runs steps as a job of a comment event does. */
  run(step: string, forge: ForgeServer, options?: RunOptions): Promise<StepRun>;
  stop(): Promise<void>;
}

export interface RunOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly comment?: Comment;
  readonly action?: string;
  readonly onPullRequest?: boolean;
  readonly workspace?: string;
  readonly runId?: number;
  readonly forge?: 'github' | 'gitea' | 'forgejo' | undefined;
}

let runs = 5_000_000;

/**
 * A repository whose release branch tests with `compose.yml` and `scripts/check.sh`, its remote, and a pull request of
 * one commit.
 */
export async function scene(pull: Files = { 'README.md': 'changed\n' }): Promise<Scene> {
  const root = mkdtempSync(join(tmpdir(), 'knowngood-testme-'));
  const repository = await makeRepository(join(root, 'author'));
  await repository.commit('first', {
    'README.md': 'notes\n',
    'compose.yml': 'services:\n  app:\n    image: docker.io/library/busybox:1.36\n',
    'scripts/check.sh': '#!/bin/sh\nexit 0\n',
    '.drone.yml': 'kind: pipeline\nname: default\n',
    'knowngood.yml':
      'test:\n  deploy: compose\n  compose-file: [compose.yml]\n  check: { host: "sh scripts/check.sh" }\n',
  });
  await repository.branch('topic');
  const head = await repository.commit('change', pull);
  const newer = await repository.commit('pushed after the comment', { 'README.md': 'evil\n' });
  await repository.git('update-ref', 'refs/pull/12/head', head);
  await repository.git('checkout', '-q', 'main');
  await makeBareCopy(repository, join(root, 'remote', OWNER, `${NAME}.git`));
  const server: GitServer = await gitServer(join(root, 'remote'));
  let folders = 0;
  const workspace = (): string => {
    const folder = join(root, `job-${++folders}`);
    mkdirSync(folder);
    return folder;
  };
  return {
    repository,
    head,
    newer,
    url: server.url,
    root,
    workspace,
    run: (step, forge, options = {}) => runStep(step, server.url, forge, workspace, options),
    async stop() {
      await server.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function runStep(
  step: string,
  serverUrl: string,
  forge: ForgeServer,
  freshWorkspace: () => string,
  options: RunOptions,
): Promise<StepRun> {
  const folder = options.workspace ?? freshWorkspace();
  const { comment } = options;
  const event = mkdtempSync(join(tmpdir(), 'knowngood-event-'));
  const eventPath = join(event, 'event.json');
  const payload = commentPayload({
    id: comment?.id ?? 1,
    issue: comment?.issue ?? 12,
    body: comment?.body ?? '',
    ...(options.action === undefined ? {} : { action: options.action }),
    ...(options.onPullRequest === undefined ? {} : { onPullRequest: options.onPullRequest }),
  });
  writeFileSync(eventPath, JSON.stringify(payload));
  const settings = {
    step,
    'forge-url': forge.url,
    forge: options.forge ?? 'github',
    'forge-token': TOKEN,
    ...options.settings,
  };
  let log = '';
  const host = githubHost(
    {
      PATH: process.env.PATH,
      HOME: event,
      GITHUB_ACTIONS: 'true',
      GITHUB_SERVER_URL: serverUrl,
      GITHUB_REPOSITORY: `${OWNER}/${NAME}`,
      GITHUB_ACTOR: 'robin',
      GITHUB_EVENT_NAME: 'issue_comment',
      GITHUB_REF: 'refs/heads/main',
      GITHUB_EVENT_PATH: eventPath,
      GITHUB_RUN_ID: String(options.runId ?? ++runs),
      GITHUB_WORKSPACE: folder,
      ...Object.fromEntries(
        Object.entries(settings).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
      ),
    },
    (text) => {
      log += text;
    },
  );
  const read = readSettings(host.rawSettings, { settingName: host.settingName, commaSeparatedMaps: false });
  const { outcome } = await runLine({
    host,
    settings: read.settings,
    env: { PATH: process.env.PATH, HOME: event },
    now: () => new Date(),
    signal: new AbortController().signal,
  });
  rmSync(event, { recursive: true, force: true });
  const reason = /^knowngood: \S+ \S+ (\S+)$/m.exec(log)?.[1];
  return { outcome, reason, outputs: outputsOf(folder, step), log };
}

function outputsOf(folder: string, step: string): Record<string, string> {
  try {
    const prefix = `KNOWNGOOD_${step.toUpperCase().replaceAll('-', '_')}_`;
    return Object.fromEntries(
      Object.entries(readOutputsEnv(folder)).flatMap(([name, value]) =>
        name.startsWith(prefix)
          ? [[name.slice(prefix.length).toLowerCase().replaceAll('_', '-'), value]]
          : [],
      ),
    );
  } catch {
    return {};
  }
}

/** A job's folder in which a test has left its dossier; `change` makes it lie. */
export function withDossier(
  workspace: string,
  runId: number,
  commit: string,
  change: (dossier: Record<string, unknown>) => void = () => undefined,
  recipe = NAME.toLowerCase(),
): string {
  const out = join(workspace, 'knowngood-out');
  mkdirSync(join(out, recipe), { recursive: true });
  writeFileSync(
    join(out, 'run.json'),
    `${JSON.stringify({ schema: 'knowngood/run/v1', id: `github-${runId}-1` })}\n`,
  );
  const dossier: Record<string, unknown> = structuredClone({
    schema: 'knowngood/dossier/v1',
    run: { id: `github-${runId}-1`, event: 'issue_comment', context: 'change' },
    candidate: { recipe, commit, checkout: commit, tree: commit, dirty: [], version: '1.1.0' },
    upgradeBase: {
      outcome: 'done',
      reasons: ['canonical'],
      decision: 'run',
      base: { version: '1.0.0', tag: '1.0.0' },
      rejected: [{ tag: '0.9.0', reason: 'known-broken' }],
    },
    test: {
      outcome: 'done',
      reasons: ['green'],
      verdict: 'green',
      tiers: [{ name: 'install', verdict: 'pass', durationMs: 1234 }],
    },
  } as unknown as Dossier) as unknown as Record<string, unknown>;
  change(dossier);
  writeFileSync(join(out, recipe, 'dossier.json'), JSON.stringify(dossier));
  return workspace;
}

/** Everything that our account wrote anywhere, for looking for what must not be in it. */
export function written(world: World): string {
  return JSON.stringify([world.ours(), world.statuses, world.reactions]);
}

export const readText = (path: string): string => readFileSync(path, 'utf8');
