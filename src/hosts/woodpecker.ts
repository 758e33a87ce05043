import { commitOf, defined, numberOf, textOf } from '../untrusted/fields.ts';
import type { Environment } from './detect.ts';
import { statementFacts } from './facts.ts';
import type { Event, EventKind, Host } from './host.ts';
import { pluginHost } from './plugin.ts';

const kinds: Readonly<Record<string, EventKind>> = {
  push: 'push',
  pull_request: 'pull-request',
  tag: 'tag',
  release: 'tag',
  cron: 'cron',
  manual: 'dispatch',
  deployment: 'promote',
};

/** Woodpecker: outputs only in outputs.env, no summary, no card. */
export function woodpeckerHost(env: Environment, write: (text: string) => void): Host {
  return pluginHost(env, write, {
    name: 'woodpecker',
    event: woodpeckerEvent(env),
    workspace: env.CI_WORKSPACE,
    async publish() {},
  });
}

function woodpeckerEvent(env: Environment): Event {
  const name = env.CI_PIPELINE_EVENT ?? '';
  const kind = kinds[name] ?? 'other';
  const number = numberOf(env.CI_COMMIT_PULL_REQUEST);
  const pullRequest =
    kind === 'pull-request' && number !== undefined
      ? // Woodpecker does not tell whether the head is of a fork, so it counts as one.
        {
          number,
          fork: true,
          ...defined({ head: commitOf(env.CI_COMMIT_SHA), base: textOf(env.CI_COMMIT_TARGET_BRANCH) }),
        }
      : undefined;
  return {
    host: 'woodpecker',
    kind,
    name,
    repository: defined({
      slug: textOf(env.CI_REPO),
      cloneUrl: textOf(env.CI_REPO_CLONE_URL),
      webUrl: textOf(env.CI_REPO_URL),
      defaultBranch: textOf(env.CI_REPO_DEFAULT_BRANCH),
      private: env.CI_REPO_PRIVATE === 'true' ? true : undefined,
    }),
    ...defined({
      ref: textOf(env.CI_COMMIT_REF),
      tag: textOf(env.CI_COMMIT_TAG),
      branch:
        kind === 'push' || kind === 'cron' || kind === 'dispatch' ? textOf(env.CI_COMMIT_BRANCH) : undefined,
      checkout: commitOf(env.CI_COMMIT_SHA),
      pullRequest,
      actor: textOf(env.CI_COMMIT_AUTHOR),
    }),
    run: {
      id: `woodpecker-${env.CI_SYSTEM_HOST ?? 'local'}-${env.CI_REPO ?? ''}-${env.CI_PIPELINE_NUMBER ?? '0'}`,
      attempt: 1,
      facts: statementFacts('woodpecker', env),
      ...defined({
        url: textOf(env.CI_PIPELINE_URL),
        runner: textOf(env.CI_SYSTEM_PLATFORM),
        workflow: defined({ name: textOf(env.CI_WORKFLOW_NAME) }),
      }),
    },
    payload: () => undefined,
  };
}
