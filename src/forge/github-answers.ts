import { Failure } from '../outcome.ts';
import { forgeFailure } from './answers.ts';
import type { ForgeComment, ForgeIssue, ForgeUser } from './forge.ts';

/** Octokit reads numbers that a double cannot hold as bigint. */
export type ApiId = number | bigint;

export interface ApiUser {
  readonly id: ApiId;
  readonly login: string;
  readonly type?: string;
}

export interface ApiComment {
  readonly id: ApiId;
  readonly user: ApiUser | null;
  readonly body?: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly html_url: string;
}

export interface ApiIssue {
  readonly number: number;
  readonly user: ApiUser | null;
  readonly body?: string | null;
  readonly state: string;
  readonly html_url: string;
  readonly updated_at: string;
  readonly pull_request?: unknown;
}

/** A user; a deleted account is GitHub's "ghost", id 10137, who may do nothing. */
export function userOf(user: ApiUser | null | undefined): ForgeUser {
  if (user === null || user === undefined) return { id: 10137, login: 'ghost', bot: false };
  return { id: idOf(user.id), login: user.login, bot: user.type === 'Bot' };
}

/** An id that was rounded could be somebody else's. */
export function idOf(id: ApiId): number {
  if (!Number.isSafeInteger(Number(id))) throw forgeFailure(200, 'name a user or a comment', `id ${id}`);
  return Number(id);
}

export function commentOf(comment: ApiComment): ForgeComment {
  return {
    id: idOf(comment.id),
    author: userOf(comment.user),
    body: comment.body ?? '',
    createdAt: comment.created_at,
    updatedAt: comment.updated_at,
    url: comment.html_url,
  };
}

export function issueOf(issue: ApiIssue): ForgeIssue {
  return {
    number: issue.number,
    author: userOf(issue.user),
    body: issue.body ?? '',
    state: issue.state === 'open' ? 'open' : 'closed',
    url: issue.html_url,
    updatedAt: issue.updated_at,
  };
}

export function statusOf(error: unknown): number | undefined {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === 'number' ? status : undefined;
}

export function failureOf(error: unknown, what: string): Failure {
  if (error instanceof Failure) return error;
  // Octokit wraps what its fetch threw.
  if (error instanceof Error && error.cause instanceof Failure) return error.cause;
  const { data, headers } =
    (error as { response?: { data?: { message?: unknown }; headers?: Record<string, unknown> } } | null)
      ?.response ?? {};
  const limited =
    headers?.['retry-after'] !== undefined || String(headers?.['x-ratelimit-remaining']) === '0';
  const message = typeof data?.message === 'string' ? data.message : '';
  return forgeFailure(statusOf(error) ?? 0, what, message, limited && statusOf(error) === 403);
}
