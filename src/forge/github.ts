import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';
import { Octokit } from '@octokit/rest';
import type { Http } from '../http/http.ts';
import { Failure } from '../outcome.ts';
import { MOST_PAGES, tooMany } from './answers.ts';
import type { Forge, ForgeUser, Permission, StatusState } from './forge.ts';
import {
  type ApiComment,
  type ApiId,
  type ApiIssue,
  commentOf,
  failureOf,
  idOf,
  issueOf,
  statusOf,
  userOf,
} from './github-answers.ts';
import { octokitFetch } from './octokit-fetch.ts';

export interface GithubOptions {
  readonly http: Http;
  /** `https://api.github.com`, or `https://host/api/v3`. */
  readonly url: string;
  readonly owner: string;
  readonly name: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  /** Our own sentences about waiting. */
  readonly tell: (text: string) => void;
}

/** The longest that GitHub may make us wait; a rate limit that lasts longer is an error now, not in an hour. */
const LONGEST_WAIT_S = 120;
const RETRIES = 3;

/**
 * GitHub over REST, by route: Octokit's methods are a table of all its thousand endpoints, which the bundle leaves
 * out, and we ask sixteen. The types of a route are the same.
 */
export function githubForge(options: GithubOptions): Forge {
  const { owner, name: repo, tell } = options;
  const mayWait = (seconds: number, what: string, attempt: number): boolean => {
    const again = seconds <= LONGEST_WAIT_S && attempt < RETRIES;
    tell(
      `GitHub limits us (${what}): ${again ? `waiting ${seconds} s` : `it wants ${seconds} s, too long to wait`}`,
    );
    return again;
  };
  const octokit = new (Octokit.plugin(retry, throttling))({
    ...(options.token === undefined ? {} : { auth: options.token }),
    baseUrl: options.url.replace(/\/$/, ''),
    userAgent: 'knowngood',
    request: { fetch: octokitFetch(options.http, options.signal) },
    // Octokit's own log would print requests, and with them what people wrote.
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    retry: { retries: RETRIES },
    throttle: {
      // Limits are a server's: two servers in one process do not wait for each other.
      id: options.url,
      onRateLimit: (seconds, { url }, _, attempt) => mayWait(seconds, `rate limit, ${url}`, attempt),
      onSecondaryRateLimit: (seconds, { url }, _, attempt) =>
        mayWait(seconds, `secondary rate limit, ${url}`, attempt),
    },
  });
  const here = { owner, repo };

  /** Runs a call; every answer that is no success becomes a Failure. */
  async function ask<T>(what: string, call: () => Promise<{ data: T }>): Promise<T> {
    try {
      return (await call()).data;
    } catch (error) {
      throw failureOf(error, what);
    }
  }

  /** As `ask`, with `undefined` for a 404 and nothing else. */
  async function find<T>(what: string, call: () => Promise<{ data: T }>): Promise<T | undefined> {
    try {
      return (await call()).data;
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw failureOf(error, what);
    }
  }

  /** All items of a list, or a Failure. */
  async function all<T>(what: string, page: (number: number) => Promise<{ data: T[] }>): Promise<T[]> {
    const items: T[] = [];
    for (let number = 1; number <= MOST_PAGES; number++) {
      const found = await ask(`list ${what}`, () => page(number));
      items.push(...found);
      if (found.length < PAGE) return items;
    }
    throw tooMany(what);
  }

  /** The login behind an app's token: `github-actions[bot]`, or the bot of somebody's own app. */
  async function viewerLogin(): Promise<string | undefined> {
    try {
      const { viewer } = await octokit.graphql<{ viewer: { login: string } }>('{viewer{login}}');
      return viewer.login;
    } catch (error) {
      if (error instanceof Failure || (error instanceof Error && error.cause instanceof Failure))
        throw failureOf(error, 'tell whose token this is');
      return undefined;
    }
  }

  return {
    kind: 'github',
    me: async () => {
      try {
        return userOf((await octokit.request('GET /user')).data);
      } catch (error) {
        if (statusOf(error) !== 403) throw failureOf(error, 'tell whose token this is');
      }
      // A token of an app, a job's too, may not ask this over REST; GraphQL tells it its bot account's login.
      const login = await viewerLogin();
      return login === undefined
        ? ACTIONS_BOT
        : userOf(
            await ask('read our own account', () =>
              octokit.request('GET /users/{username}', { username: login }),
            ),
          );
    },
    comment: async (comment_id) => {
      const found = await find('read the comment', () =>
        octokit.request('GET /repos/{owner}/{repo}/issues/comments/{comment_id}', { ...here, comment_id }),
      );
      return found === undefined ? undefined : commentOf(found);
    },
    comments: async (issue_number) => {
      const found = await all<ApiComment>('comments', (page) =>
        octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
          ...here,
          issue_number,
          per_page: PAGE,
          page,
        }),
      );
      return found.map(commentOf);
    },
    createComment: async (issue_number, body) =>
      commentOf(
        await ask('write a comment', () =>
          octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
            ...here,
            issue_number,
            body,
          }),
        ),
      ),
    editComment: async (comment_id, body) =>
      commentOf(
        await ask('edit a comment', () =>
          octokit.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', {
            ...here,
            comment_id,
            body,
          }),
        ),
      ),
    deleteComment: async (comment_id) => {
      await find('delete a comment', () =>
        octokit.request('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', { ...here, comment_id }),
      );
    },
    react: async (comment_id, content) => {
      await ask('react to the comment', () =>
        octokit.request('POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', {
          ...here,
          comment_id,
          content,
        }),
      );
    },
    pullRequest: async (pull_number) => {
      const pull = await find('read the pull request', () =>
        octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { ...here, pull_number }),
      );
      if (pull === undefined) return undefined;
      const headRepository = (pull.head.repo as { id: ApiId } | null)?.id;
      return {
        number: pull.number,
        state: pull.state === 'open' ? 'open' : 'closed',
        locked: pull.locked,
        author: userOf(pull.user),
        head: {
          commit: pull.head.sha,
          ...(headRepository === undefined ? {} : { repositoryId: idOf(headRepository) }),
        },
        base: { branch: pull.base.ref, repositoryId: idOf(pull.base.repo.id) },
        url: pull.html_url,
      };
    },
    changedFiles: async (pull_number) => {
      const files = await all('changed files', (page) =>
        octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/files', {
          ...here,
          pull_number,
          per_page: PAGE,
          page,
        }),
      );
      // A renamed file changes two paths.
      return files.flatMap(({ filename, previous_filename }) =>
        previous_filename === undefined ? [filename] : [filename, previous_filename],
      );
    },
    permission: async (user) => {
      const found = await find('read a permission', () =>
        octokit.request('GET /repos/{owner}/{repo}/collaborators/{username}/permission', {
          ...here,
          username: user.login,
        }),
      );
      // Logins change hands; the id is who wrote the comment.
      if (!found?.user || idOf(found.user.id) !== user.id) return 'none';
      return permissions[found.permission] ?? 'none';
    },
    setStatus: async (sha, { state, context, description, targetUrl }) => {
      await ask('set a commit status', () =>
        octokit.request('POST /repos/{owner}/{repo}/statuses/{sha}', {
          ...here,
          sha,
          state,
          context,
          description: description.slice(0, 140),
          ...(targetUrl === undefined ? {} : { target_url: targetUrl }),
        }),
      );
    },
    statuses: async (ref) => {
      const found = await all('commit statuses', (page) =>
        octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/statuses', {
          ...here,
          ref,
          per_page: PAGE,
          page,
        }),
      );
      return found.map(({ id, context, state, target_url, created_at, creator }) => ({
        id,
        context,
        state: state as StatusState,
        createdAt: created_at,
        ...(target_url === null ? {} : { targetUrl: target_url }),
        ...(creator === null ? {} : { creatorId: idOf(creator.id) }),
      }));
    },
    issuesBy: async (user) => {
      const found = await all<ApiIssue>('issues', (page) =>
        octokit.request('GET /repos/{owner}/{repo}/issues', {
          ...here,
          state: 'open',
          creator: user.login,
          per_page: PAGE,
          page,
        }),
      );
      return found
        .filter((issue) => issue.pull_request === undefined && userOf(issue.user).id === user.id)
        .map(issueOf);
    },
    createIssue: async ({ title, body, labels }) =>
      issueOf(
        await ask('open an issue', () =>
          octokit.request('POST /repos/{owner}/{repo}/issues', {
            ...here,
            title,
            body,
            ...(labels === undefined ? {} : { labels: [...labels] }),
          }),
        ),
      ),
    editIssue: async (issue_number, change) =>
      issueOf(
        await ask('edit an issue', () =>
          octokit.request('PATCH /repos/{owner}/{repo}/issues/{issue_number}', {
            ...here,
            issue_number,
            ...change,
          }),
        ),
      ),
    releases: async () => {
      const found = await all('releases', (page) =>
        octokit.request('GET /repos/{owner}/{repo}/releases', { ...here, per_page: PAGE, page }),
      );
      return found.map(({ tag_name, draft, prerelease, html_url }) => ({
        tag: tag_name,
        draft,
        prerelease,
        url: html_url,
      }));
    },
    repository: async () => {
      const found = await ask('read the repository', () =>
        octokit.request('GET /repos/{owner}/{repo}', here),
      );
      const licence = found.license?.spdx_id;
      return {
        url: found.html_url,
        private: found.private,
        ...(found.description === null ? {} : { description: found.description }),
        ...(found.homepage ? { homepage: found.homepage } : {}),
        ...(licence && licence !== 'NOASSERTION' ? { licence } : {}),
      };
    },
  };
}

const PAGE = 100;

/** The account behind every `GITHUB_TOKEN` of github.com; its id is public. For servers without GraphQL. */
const ACTIONS_BOT: ForgeUser = { id: 41898282, login: 'github-actions[bot]', bot: true };

const permissions: Readonly<Record<string, Permission>> = {
  admin: 'admin',
  maintain: 'write',
  write: 'write',
  triage: 'read',
  read: 'read',
  none: 'none',
};
