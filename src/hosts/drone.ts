import { appendFileSync } from 'node:fs';
import type { RawSettings } from '../settings/read.ts';
import { commitOf, defined, numberOf, textOf } from '../untrusted/fields.ts';
import type { Environment } from './detect.ts';
import { cardWriter } from './drone-card.ts';
import { statementFacts } from './facts.ts';
import type { Event, EventKind, Host, StepReport } from './host.ts';
import { pluginHost } from './plugin.ts';

const kinds: Readonly<Record<string, EventKind>> = {
  push: 'push',
  pull_request: 'pull-request',
  tag: 'tag',
  promote: 'promote',
  rollback: 'promote',
  cron: 'cron',
  custom: 'dispatch',
};

/** Drone, and Harness CI, which sets the same variables and reads outputs besides. */
export function droneHost(env: Environment, write: (text: string) => void): Host {
  const card = env.DRONE_CARD_PATH ? cardWriter(env.DRONE_CARD_PATH, write) : undefined;
  return pluginHost(env, write, {
    name: 'drone',
    event: droneEvent(env),
    workspace: env.DRONE_WORKSPACE,
    defaults: buildParameters(env),
    async publish(report, host) {
      if (env.DRONE_OUTPUT) writeOutputs(env.DRONE_OUTPUT, report);
      card?.(report, host);
    },
  });
}

function droneEvent(env: Environment): Event {
  const name = env.DRONE_BUILD_EVENT ?? '';
  const kind = kinds[name] ?? 'other';
  const number = numberOf(env.DRONE_PULL_REQUEST);
  const pullRequest =
    kind === 'pull-request' && number !== undefined
      ? // Drone does not tell whether the head is of a fork, so it counts as one.
        {
          number,
          fork: true,
          ...defined({ head: commitOf(env.DRONE_COMMIT_SHA), base: textOf(env.DRONE_TARGET_BRANCH) }),
        }
      : undefined;
  const build = env.DRONE_BUILD_NUMBER ?? '0';
  return {
    host: 'drone',
    kind,
    name,
    repository: defined({
      slug: textOf(env.DRONE_REPO),
      cloneUrl: textOf(env.DRONE_REMOTE_URL) ?? textOf(env.DRONE_GIT_HTTP_URL),
      webUrl: textOf(env.DRONE_REPO_LINK),
      defaultBranch: textOf(env.DRONE_REPO_BRANCH),
      private: env.DRONE_REPO_PRIVATE === 'true' ? true : undefined,
    }),
    ...defined({
      ref: textOf(env.DRONE_COMMIT_REF),
      tag: textOf(env.DRONE_TAG),
      branch:
        kind === 'push' || kind === 'cron' || kind === 'dispatch' ? textOf(env.DRONE_BRANCH) : undefined,
      checkout: commitOf(env.DRONE_COMMIT_SHA),
      pullRequest,
      actor: textOf(env.DRONE_BUILD_TRIGGER) ?? textOf(env.DRONE_COMMIT_AUTHOR),
    }),
    run: {
      id: `drone-${env.DRONE_SYSTEM_HOST ?? 'local'}-${env.DRONE_REPO ?? ''}-${build}`,
      attempt: 1,
      facts: statementFacts('drone', env),
      ...defined({
        url: textOf(env.DRONE_BUILD_LINK),
        runner: textOf(env.DRONE_STAGE_TYPE),
        workflow: defined({ name: textOf(env.DRONE_STAGE_NAME) }),
        startedAt: startedAt(env.DRONE_BUILD_STARTED),
      }),
    },
    payload: () => undefined,
  };
}

function startedAt(seconds: string | undefined): string | undefined {
  return seconds !== undefined && /^\d{1,11}$/.test(seconds)
    ? new Date(Number(seconds) * 1000).toISOString()
    : undefined;
}

/** Harness reads `NAME=value` lines from a `.env` file and `NAME value` lines from a `.out` file. */
function writeOutputs(path: string, { outputs }: StepReport): void {
  const separator = path.endsWith('.out') ? ' ' : '=';
  const lines = Object.entries(outputs).map(([name, value]) => {
    const key = name.replaceAll('-', '_');
    return `${key}${separator}${separator === '=' ? JSON.stringify(value) : value}\n`;
  });
  appendFileSync(path, lines.join(''));
}

/**
 * Parameters of a build that `testme` or `sweep` started through the API are environment variables of every step. Only a custom
 * build has them: what a pull request's own pipeline could set is not believed.
 */
function buildParameters(env: Environment): RawSettings {
  const settings = new Map<string, { value: string; source: string }>();
  if (env.DRONE_BUILD_EVENT !== 'custom') return settings;
  const take = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') settings.set(name, { value, source: 'a build parameter' });
  };
  take('candidate', env.KNOWNGOOD_CANDIDATE);
  take('recipe', env.KNOWNGOOD_RECIPE);
  take('pull-request', env.KNOWNGOOD_PULL_REQUEST);
  // For `report`: how the steps before it ended, as far as Drone knows by now.
  take('job-result', env.DRONE_BUILD_STATUS);
  const words = Object.entries(env).flatMap(([key, value]) => {
    const name = /^KNOWNGOOD_ARG_([A-Z0-9_]+)$/.exec(key)?.[1];
    return name === undefined ? [] : [[name.toLowerCase().replaceAll('_', '-'), value ?? ''] as const];
  });
  if (words.length > 0) take('arguments', JSON.stringify(Object.fromEntries(words)));
  return settings;
}
