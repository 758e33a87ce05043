import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Failure, type Level } from '../outcome.ts';
import { JOB_TOKEN } from '../settings/job-token.ts';
import { at, commitOf, defined, isObject, numberOf, textOf } from '../untrusted/fields.ts';
import type { Environment } from './detect.ts';
import { statementFacts } from './facts.ts';
import type { Event, EventKind, Host } from './host.ts';
import { createLog, type LogStyle } from './log.ts';
import { settingsFromPrefix } from './raw-settings.ts';

const EVENT_LIMIT = 32 * 1024 * 1024;

/** Whether `forge-url` names the forge that the job runs for; GitHub's API has a host of its own. */
function isForge(forgeUrl: string, server: string): boolean {
  if (forgeUrl === '') return true;
  if (!URL.canParse(forgeUrl) || !URL.canParse(server)) return false;
  const [{ origin }, { origin: home }] = [new URL(forgeUrl), new URL(server)];
  return origin === home || (home === 'https://github.com' && origin === 'https://api.github.com');
}

/** GitHub Actions, and what speaks its language: Forgejo and Gitea Actions, act. */
export function githubHost(env: Environment, write: (text: string) => void): Host {
  const rawSettings = new Map(
    settingsFromPrefix(
      env,
      'INPUT_',
      (name) => name.toLowerCase().replaceAll('_', '-'),
      (name) => `\`${name}\``,
    ),
  );
  const live = false;
  const log = createLog({
    write,
    live,
    style: commandStyle,
    verbose: /^(true|1|yes|on)$/i.test(rawSettings.get('verbose')?.value ?? '') || env.RUNNER_DEBUG === '1',
    // The runner reads this line and swallows it; it must come before anything that could hold the secret.
    onMask: (secret) => {
      for (const line of secret.split(/\r?\n/))
        if (line.trim() !== '') write(`${command('add-mask', {}, line)}\n`);
    },
  });
  const event = githubEvent(env);
  const server = serverOf(env);
  // action.yml hands in the job's token apart from `forge-token`, whose default it is at the job's own forge only.
  const ofJob = rawSettings.get(JOB_TOKEN)?.value;
  rawSettings.delete(JOB_TOKEN);
  const atHome = isForge(rawSettings.get('forge-url')?.value.trim() ?? '', server);
  const given = rawSettings.get('forge-token')?.value;
  if (atHome && !given && ofJob) rawSettings.set('forge-token', { value: ofJob, source: '`forge-token`' });
  // Other forges' tokens are not GHCR's.
  const token = server === 'https://github.com' ? (atHome && given) || ofJob || env.GITHUB_TOKEN : undefined;
  const workspace = resolve(env.GITHUB_WORKSPACE ?? '.');
  return {
    name: 'github',
    event,
    log,
    workspace,
    rawSettings,
    settingName: (name) => name,
    ...(token !== undefined && token !== '' && env.GITHUB_ACTOR !== undefined
      ? { jobToken: { username: env.GITHUB_ACTOR, token, registry: 'ghcr.io' } }
      : {}),
    async publish(report) {
      const core = await import('@actions/core');
      // Without the files, core falls back to printing the values as commands into the log.
      if (env.GITHUB_OUTPUT)
        for (const [name, value] of Object.entries(report.outputs)) core.setOutput(name, value);
      if (env.GITHUB_STEP_SUMMARY && report.summary !== '') {
        await core.summary.addRaw(log.redact(report.summary), true).write();
      }
    },
  };
}

const kinds: Readonly<Record<string, EventKind>> = {
  push: 'push',
  pull_request: 'pull-request',
  pull_request_target: 'pull-request',
  issue_comment: 'comment',
  workflow_dispatch: 'dispatch',
  repository_dispatch: 'dispatch',
  schedule: 'cron',
};

function githubEvent(env: Environment): Event {
  const name = env.GITHUB_EVENT_NAME ?? '';
  const ref = env.GITHUB_REF;
  const payload = eventPayload(env.GITHUB_EVENT_PATH);
  const tag = ref?.startsWith('refs/tags/') ? ref.slice('refs/tags/'.length) : undefined;
  const pushed = kinds[name] ?? 'other';
  const kind: EventKind = tag !== undefined && (pushed === 'push' || name === 'release') ? 'tag' : pushed;
  const server = serverOf(env);
  const slug = env.GITHUB_REPOSITORY;
  const webUrl = slug === undefined ? undefined : `${server}/${slug}`;
  const body = payload();
  const branch = ref?.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined;
  const pullRequest = pullRequestOf(kind, body);
  const runId = env.GITHUB_RUN_ID ?? '0';
  const attempt = Number(env.GITHUB_RUN_ATTEMPT ?? '1') || 1;
  return {
    host: 'github',
    kind,
    name,
    repository: defined({
      slug,
      webUrl,
      cloneUrl: webUrl === undefined ? undefined : `${webUrl}.git`,
      defaultBranch: textOf(at(body, 'repository', 'default_branch')),
      private: at(body, 'repository', 'private') === true ? true : undefined,
    }),
    ...defined({
      ref,
      tag,
      branch,
      checkout: commitOf(env.GITHUB_SHA),
      pullRequest,
      actor: env.GITHUB_ACTOR,
    }),
    run: {
      id: `github-${runId}-${attempt}`,
      attempt,
      facts: statementFacts('github', env),
      ...defined({
        url: webUrl === undefined ? undefined : `${webUrl}/actions/runs/${pageOf(env, runId)}`,
        runner: env.RUNNER_ENVIRONMENT,
        workflow: defined({
          ref: env.GITHUB_WORKFLOW_REF,
          sha: env.GITHUB_WORKFLOW_SHA,
          name: env.GITHUB_WORKFLOW,
        }),
      }),
    },
    payload,
  };
}

/** Gitea gives the address with a slash at its end, which would stand twice in what is made of it. */
function serverOf(env: Environment): string {
  return (env.GITHUB_SERVER_URL ?? 'https://github.com').replace(/\/+$/, '');
}

/** Forgejo numbers the pages of its runs by repository; GitHub and today's Gitea by the run's id. */
function pageOf(env: Environment, runId: string): string {
  return env.FORGEJO_ACTIONS === 'true' ? (env.GITHUB_RUN_NUMBER ?? runId) : runId;
}

function pullRequestOf(kind: EventKind, body: unknown): Event['pullRequest'] {
  if (kind === 'comment') {
    // A comment's payload names no head, and nobody's word for "not a fork".
    const number = isObject(at(body, 'issue', 'pull_request'))
      ? numberOf(at(body, 'issue', 'number'))
      : undefined;
    return number === undefined ? undefined : { number, fork: true };
  }
  if (kind !== 'pull-request') return undefined;
  const number = numberOf(at(body, 'pull_request', 'number')) ?? numberOf(at(body, 'number'));
  if (number === undefined) return undefined;
  const head = at(body, 'pull_request', 'head', 'repo', 'id');
  const base = at(body, 'pull_request', 'base', 'repo', 'id');
  return {
    number,
    // A head repository that is gone (null) counts as a fork; peers that compared names let it through.
    fork: head === undefined || head === null || head !== base,
    ...defined({
      head: commitOf(at(body, 'pull_request', 'head', 'sha')),
      base: textOf(at(body, 'pull_request', 'base', 'ref')),
    }),
  };
}

function eventPayload(path: string | undefined): () => unknown {
  let read: { value: unknown } | undefined;
  return () => {
    if (read !== undefined) return read.value;
    let value: unknown;
    if (path !== undefined && path !== '') {
      try {
        if (statSync(path).size > EVENT_LIMIT) throw new Error('too large');
        value = JSON.parse(readFileSync(path, 'utf8'));
      } catch (cause) {
        throw new Failure(
          'candidate-unknown',
          'The event file of this job (GITHUB_EVENT_PATH) cannot be read.',
          {
            remedy: 'Run inside a job of GitHub, Forgejo or Gitea Actions, or unset GITHUB_ACTIONS.',
            cause,
          },
        );
      }
    }
    read = { value };
    return value;
  };
}

const commandStyle: LogStyle = {
  group: (title) => command('group', {}, title),
  endGroup: () => '::endgroup::',
  finding: (finding, text) =>
    command(
      annotation[finding.level],
      {
        title: finding.code,
        file: finding.at?.file,
        line: finding.at?.line,
        col: finding.at?.column,
      },
      text,
    ),
  around: (token) => [`::stop-commands::${token}`, `::${token}::`],
  // `::` counts at the start of a line, the older `##[` anywhere in it.
  line: (text) => text.replace(/^(\s*):(?=:)/, '$1: ').replaceAll('##[', '## ['),
};

const annotation: Readonly<Record<Level, string>> = { error: 'error', warning: 'warning', info: 'notice' };

/** A workflow command; escaping as the runner undoes it (actions/toolkit, `command.ts` documents the format). */
function command(
  name: string,
  properties: Readonly<Record<string, string | number | undefined>>,
  message: string,
): string {
  const list = Object.entries(properties)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${data(String(value)).replaceAll(':', '%3A').replaceAll(',', '%2C')}`)
    .join(',');
  return `::${name}${list === '' ? '' : ` ${list}`}::${data(message)}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
