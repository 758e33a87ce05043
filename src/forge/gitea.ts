import type { Http } from '../http/http.ts';
import { forgeFailure, MOST_PAGES, tooMany } from './answers.ts';
import type { Forge, ForgeComment, ForgeIssue, ForgeUser, Permission, StatusState } from './forge.ts';

export interface GiteaOptions {
  readonly http: Http;
  readonly kind: 'gitea' | 'forgejo';
  /** Address of the forge, `https://git.example.org`; the API is below `/api/v1`. */
  readonly url: string;
  readonly owner: string;
  readonly name: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

interface ApiUser {
  readonly id: number;
  readonly login: string;
}

interface ApiComment {
  readonly id: number;
  readonly user: ApiUser | null;
  readonly body: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly html_url: string;
}

interface ApiIssue {
  readonly number: number;
  readonly user: ApiUser | null;
  readonly body: string;
  readonly state: string;
  readonly html_url: string;
  readonly updated_at: string;
}

interface ApiStatus {
  readonly id: number;
  readonly context: string;
  readonly status: StatusState;
  readonly target_url: string;
  readonly created_at: string;
  readonly creator?: ApiUser | null;
}

interface ApiPull extends ApiIssue {
  readonly is_locked?: boolean;
  readonly head: { readonly sha: string; readonly repo: { readonly id: number } | null };
  readonly base: { readonly ref: string; readonly repo: { readonly id: number } };
}

/** The dialect that Gitea and Forgejo share (`/api/v1`); both publish it as `/swagger.v1.json`. */
export function giteaForge(options: GiteaOptions): Forge {
  const api = `${options.url.replace(/\/+$/, '').replace(/\/api\/v1$/, '')}/api/v1`;
  const repository = `/repos/${encodeURIComponent(options.owner)}/${encodeURIComponent(options.name)}`;

  async function send(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; value: unknown }> {
    const answer = await options.http.request({
      url: `${api}${path}`,
      method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(options.token === undefined ? {} : { authorization: `token ${options.token}` }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: options.signal,
      codes: { unreachable: 'forge-unreachable', invalid: 'forge-failed' },
    });
    const isJson = answer.headers['content-type']?.includes('json') === true && answer.body.length > 0;
    return { status: answer.status, value: isJson ? answer.json() : undefined };
  }

  function failed(status: number, value: unknown, what: string): Error {
    const message = (value as { message?: unknown } | undefined)?.message;
    return forgeFailure(status, what, typeof message === 'string' ? message : '');
  }

  /** The answer, or `undefined` for a 404 and nothing else. */
  async function find<T>(what: string, method: string, path: string, body?: unknown): Promise<T | undefined> {
    const { status, value } = await send(method, path, body);
    if (status === 404) return undefined;
    if (status < 200 || status > 299) throw failed(status, value, what);
    return value as T;
  }

  async function ask<T>(what: string, method: string, path: string, body?: unknown): Promise<T> {
    const { status, value } = await send(method, path, body);
    if (status < 200 || status > 299) throw failed(status, value, what);
    return value as T;
  }

  async function all<T>(what: string, path: string): Promise<T[]> {
    const items: T[] = [];
    for (let page = 1; page <= MOST_PAGES; page++) {
      const joint = path.includes('?') ? '&' : '?';
      const found = await ask<T[]>(`list ${what}`, 'GET', `${path}${joint}page=${page}&limit=${PAGE}`);
      items.push(...found);
      // A server may have a smaller page than we asked for: only an empty one is the end.
      if (found.length === 0) return items;
    }
    throw tooMany(what);
  }

  return {
    kind: options.kind,
    me: async () => userOf(await ask<ApiUser>('tell whose token this is', 'GET', '/user')),
    comment: async (id) => {
      const found = await find<ApiComment>('read the comment', 'GET', `${repository}/issues/comments/${id}`);
      return found === undefined ? undefined : commentOf(found);
    },
    comments: async (number) => {
      // This list is not paged in either forge.
      const found = await ask<ApiComment[]>(
        'list comments',
        'GET',
        `${repository}/issues/${number}/comments`,
      );
      return found.map(commentOf);
    },
    createComment: async (number, body) =>
      commentOf(await ask('write a comment', 'POST', `${repository}/issues/${number}/comments`, { body })),
    editComment: async (id, body) =>
      commentOf(await ask('edit a comment', 'PATCH', `${repository}/issues/comments/${id}`, { body })),
    deleteComment: async (id) => {
      await find('delete a comment', 'DELETE', `${repository}/issues/comments/${id}`);
    },
    react: async (id, content) => {
      await ask('react to the comment', 'POST', `${repository}/issues/comments/${id}/reactions`, { content });
    },
    pullRequest: async (number) => {
      const pull = await find<ApiPull>('read the pull request', 'GET', `${repository}/pulls/${number}`);
      if (pull === undefined) return undefined;
      return {
        number: pull.number,
        state: pull.state === 'open' ? 'open' : 'closed',
        locked: pull.is_locked === true,
        author: userOf(pull.user),
        head: {
          commit: pull.head.sha,
          ...(pull.head.repo === null ? {} : { repositoryId: pull.head.repo.id }),
        },
        base: { branch: pull.base.ref, repositoryId: pull.base.repo.id },
        url: pull.html_url,
      };
    },
    changedFiles: async (number) => {
      const files = await all<{ filename: string; previous_filename?: string }>(
        'changed files',
        `${repository}/pulls/${number}/files`,
      );
      return files.flatMap(({ filename, previous_filename }) =>
        previous_filename === undefined || previous_filename === ''
          ? [filename]
          : [filename, previous_filename],
      );
    },
    permission: async (user) => {
      const path = `${repository}/collaborators/${encodeURIComponent(user.login)}/permission`;
      const { status, value } = await send('GET', path);
      if (status >= 200 && status <= 299) {
        const found = value as { permission?: string; user?: ApiUser };
        // Logins change hands; the id is who wrote the comment.
        return found.user?.id === user.id ? (permissions[found.permission ?? ''] ?? 'none') : 'none';
      }
      // Only administrators may ask for permissions; whoever may read the organisation may ask for membership.
      if (status !== 403 && status !== 404) throw failed(status, value, 'read a permission');
      const member = await send(
        'GET',
        `/orgs/${encodeURIComponent(options.owner)}/members/${encodeURIComponent(user.login)}`,
      );
      if (member.status !== 204) return 'none';
      const named = await find<ApiUser>('read a user', 'GET', `/users/${encodeURIComponent(user.login)}`);
      return named?.id === user.id ? 'write' : 'none';
    },
    setStatus: async (commit, { state, context, description, targetUrl }) => {
      await ask('set a commit status', 'POST', `${repository}/statuses/${commit}`, {
        state,
        context,
        description: description.slice(0, 140),
        ...(targetUrl === undefined ? {} : { target_url: targetUrl }),
      });
    },
    statuses: async (commit) => {
      const found = await all<ApiStatus>(
        'commit statuses',
        `${repository}/commits/${commit}/statuses?sort=recentupdate`,
      );
      return found
        .map(({ id, context, status, target_url, created_at, creator }) => ({
          id,
          context,
          state: status,
          createdAt: created_at,
          ...(target_url === '' ? {} : { targetUrl: target_url }),
          ...(creator ? { creatorId: creator.id } : {}),
        }))
        .sort((a, b) => b.id - a.id);
    },
    issuesBy: async (user) => {
      const by = encodeURIComponent(user.login);
      const found = await all<ApiIssue>(
        'issues',
        `${repository}/issues?state=open&type=issues&created_by=${by}`,
      );
      return found.filter((issue) => issue.user?.id === user.id).map(issueOf);
    },
    createIssue: async ({ title, body }) =>
      // Labels are ids here, and none of ours exist by default.
      issueOf(await ask('open an issue', 'POST', `${repository}/issues`, { title, body })),
    editIssue: async (number, change) =>
      issueOf(await ask('edit an issue', 'PATCH', `${repository}/issues/${number}`, change)),
    releases: async () => {
      const found = await all<{ tag_name: string; draft: boolean; prerelease: boolean; html_url: string }>(
        'releases',
        `${repository}/releases`,
      );
      return found.map(({ tag_name, draft, prerelease, html_url }) => ({
        tag: tag_name,
        draft,
        prerelease,
        url: html_url,
      }));
    },
    repository: async () => {
      const found = await ask<{ description: string; website: string; html_url: string; private: boolean }>(
        'read the repository',
        'GET',
        repository,
      );
      return {
        url: found.html_url,
        private: found.private,
        ...(found.description === '' ? {} : { description: found.description }),
        ...(found.website === '' ? {} : { homepage: found.website }),
      };
    },
  };
}

const PAGE = 50;

const permissions: Readonly<Record<string, Permission>> = {
  owner: 'admin',
  admin: 'admin',
  write: 'write',
  read: 'read',
  none: 'none',
};

/** A deleted account has id -1 ("Ghost") in both forges and may do nothing. */
function userOf(user: ApiUser | null): ForgeUser {
  if (user === null) return { id: -1, login: 'ghost', bot: false };
  return { id: user.id, login: user.login, bot: user.login.endsWith('[bot]') };
}

function commentOf(comment: ApiComment): ForgeComment {
  return {
    id: comment.id,
    author: userOf(comment.user),
    body: comment.body,
    createdAt: comment.created_at,
    updatedAt: comment.updated_at,
    url: comment.html_url,
  };
}

function issueOf(issue: ApiIssue): ForgeIssue {
  return {
    number: issue.number,
    author: userOf(issue.user),
    body: issue.body,
    state: issue.state === 'open' ? 'open' : 'closed',
    url: issue.html_url,
    updatedAt: issue.updated_at,
  };
}
