import { createRequire } from 'node:module';
import { NAME, OWNER, REPOSITORY_ID } from './world.ts';

interface Definition {
  readonly name: string;
  readonly examples: readonly Record<string, unknown>[];
}

const definitions = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly Definition[];

/** The payloads that GitHub published for this event. */
export function publishedPayloads(event: string): readonly Record<string, unknown>[] {
  return structuredClone(definitions.find(({ name }) => name === event)?.examples ?? []);
}

/**
 * A published `issue_comment` payload, about a comment of ours. The published ones are about issues; on a pull request
 * GitHub's have `issue.pull_request` besides (docs.github.com, "Webhook events and payloads").
 */
export function commentPayload(told: {
  readonly id: number;
  readonly issue: number;
  readonly body: string;
  readonly action?: string;
  readonly onPullRequest?: boolean;
}): Record<string, unknown> {
  const published = publishedPayloads('issue_comment').find(
    ({ action }) => action === (told.action ?? 'created'),
  )!;
  const api = `https://api.github.com/repos/${OWNER}/${NAME}`;
  return {
    ...published,
    action: told.action ?? 'created',
    comment: { ...(published.comment as object), id: told.id, body: told.body },
    issue: {
      ...(published.issue as object),
      number: told.issue,
      ...(told.onPullRequest === false ? {} : { pull_request: { url: `${api}/pulls/${told.issue}` } }),
    },
    repository: {
      ...(published.repository as object),
      id: REPOSITORY_ID,
      full_name: `${OWNER}/${NAME}`,
      default_branch: 'main',
    },
  };
}
