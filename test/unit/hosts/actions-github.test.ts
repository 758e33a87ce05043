import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context } from '@actions/github';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Environment } from '../../../src/hosts/detect.ts';
import { githubHost } from '../../../src/hosts/github.ts';
import type { Event } from '../../../src/hosts/host.ts';
import { publishedPayloads } from '../../integration/forge/payloads.ts';
import { recorded, recordedEvents } from './recorded.ts';

/** GitHub's own reading of a job's environment: what its toolkit makes of the same variables and the same payload. */
type Judge = typeof context;
const Context = context.constructor as new () => Judge;

afterEach(() => vi.unstubAllEnvs());

function bothRead(env: Environment): { ours: Event; judge: Judge } {
  for (const name of Object.keys(process.env))
    if (/^(GITHUB|FORGEJO|GITEA)_/.test(name)) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  return { ours: githubHost(env, () => undefined).event, judge: new Context() };
}

function compare({ ours, judge }: ReturnType<typeof bothRead>): void {
  expect({
    name: ours.name,
    slug: ours.repository.slug,
    page: ours.repository.webUrl,
    ref: ours.ref,
    checkout: ours.checkout,
    actor: ours.actor,
    run: ours.run.id,
    url: ours.run.url,
    workflow: ours.run.workflow?.name,
    payload: ours.payload(),
  }).toEqual({
    name: judge.eventName,
    slug: `${judge.repo.owner}/${judge.repo.repo}`,
    page: `${judge.serverUrl}/${judge.repo.owner}/${judge.repo.repo}`,
    ref: judge.ref,
    checkout: judge.sha,
    actor: judge.actor,
    run: `github-${judge.runId}-${judge.runAttempt}`,
    // Forgejo's pages are numbered by repository, which the toolkit does not know.
    url: `${judge.serverUrl}/${judge.repo.owner}/${judge.repo.repo}/actions/runs/${
      process.env.FORGEJO_ACTIONS === 'true' ? judge.runNumber : judge.runId
    }`,
    workflow: judge.workflow,
    payload: judge.payload,
  });
  // Of a comment on an issue the toolkit gives the issue's number; for us that is no pull request.
  if (ours.pullRequest !== undefined) expect(ours.pullRequest.number).toBe(judge.issue.number);
}

const spoken = recordedEvents.filter((name) => name.startsWith('github-') || name.startsWith('forgejo-'));

describe('a recorded event is read as GitHub’s own toolkit reads it', () => {
  it.each(spoken)('%s', (name) => compare(bothRead(recorded(name))));
});

interface PublishedPull {
  readonly number: number;
  readonly head: { readonly sha: string; readonly repo: { readonly id: number } | null };
  readonly base: { readonly ref: string; readonly repo: { readonly id: number } };
}

/** The environment of a job that a published payload starts. */
function started(name: string, payload: unknown, more: Environment = {}): Environment {
  const path = join(mkdtempSync(join(tmpdir(), 'knowngood-event-')), 'event.json');
  writeFileSync(path, JSON.stringify(payload));
  return recorded('github-dispatch', { GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: path, ...more });
}

describe('a payload that GitHub published', () => {
  const pulls = publishedPayloads('pull_request').map((payload, n) => [n, payload] as const);
  it.each(pulls)('pull_request %i', (_, payload) => {
    const pull = payload.pull_request as PublishedPull;
    const read = bothRead(started('pull_request', payload, { GITHUB_REF: `refs/pull/${pull.number}/merge` }));
    compare(read);
    expect(read.ours.kind).toBe('pull-request');
    expect(read.ours.pullRequest).toEqual({
      number: read.judge.issue.number,
      head: pull.head.sha,
      base: pull.base.ref,
      fork: pull.head.repo?.id !== pull.base.repo.id,
    });
  });

  const comments = publishedPayloads('issue_comment').map((payload, n) => [n, payload] as const);
  it.each(comments)('issue_comment %i, as published and as on a pull request', (_, payload) => {
    const onIssue = bothRead(started('issue_comment', payload));
    compare(onIssue);
    expect(onIssue.ours.kind).toBe('comment');
    expect(onIssue.ours.pullRequest).toBeUndefined();
    const issue = { ...(payload.issue as object), pull_request: { url: 'https://api.github.com/x' } };
    const onPull = bothRead(started('issue_comment', { ...payload, issue }));
    compare(onPull);
    expect(onPull.ours.pullRequest).toEqual({ number: onPull.judge.issue.number, fork: true });
  });

  it.each([
    ['push', 'push', 'refs/heads/main'],
    ['release', 'tag', 'refs/tags/1.2.3'],
    ['workflow_dispatch', 'dispatch', 'refs/heads/main'],
    ['repository_dispatch', 'dispatch', 'refs/heads/main'],
  ])('%s', (name, kind, ref) => {
    const payloads = publishedPayloads(name);
    expect(payloads.length).toBeGreaterThan(0);
    for (const payload of payloads) {
      const read = bothRead(started(name, payload, { GITHUB_REF: ref }));
      compare(read);
      expect(read.ours.kind).toBe(kind);
      const told = payload.repository as { default_branch?: string; private?: boolean } | undefined;
      expect(read.ours.repository.defaultBranch).toBe(told?.default_branch);
    }
  });
});
