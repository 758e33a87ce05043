import { describedApi } from './described-api.ts';
import { type Answer, type ForgeServer, forgeServer, type Handlers, pageOf } from './forge-server.ts';
import { TOKEN } from './github-double.ts';
import { type Comment, NAME, now, OWNER, type Pull, REPOSITORY_ID, type User, type World } from './world.ts';

export const giteaVersions = ['forgejo-16', 'forgejo-11', 'gitea-1.27', 'gitea-1.21'] as const;

const notFound: Answer = { status: 404, body: { message: 'not found' } };

/**
 * Gitea or Forgejo over REST. `asks`: whether our token may ask for permissions (an administrator's may); where it may
 * not, only membership of the organisation is left. Pages are small, as an instance may set them.
 */
export function giteaDouble(
  world: World,
  version: (typeof giteaVersions)[number],
  asks: 'permission' | 'membership' = 'permission',
): Promise<ForgeServer> {
  const pages = `https://forge.example.org/${OWNER}/${NAME}`;
  const user = ({ id, login }: User) => ({ id, login, login_name: '' });
  const comment = ({ id, issue, user: author, body, createdAt, updatedAt }: Comment) => ({
    id,
    body,
    user: user(author),
    created_at: createdAt,
    updated_at: updatedAt,
    html_url: `${pages}/pulls/${issue}#issuecomment-${id}`,
  });
  const branch = (ref: string, sha: string, id: number | null) => ({
    ref,
    sha,
    label: ref,
    repo_id: id ?? 0,
    repo: id === null ? null : { id, full_name: `${OWNER}/${NAME}` },
  });
  const pullRequest = ({ number, state, locked, author, head, headRepository }: Pull) => ({
    number,
    state,
    is_locked: locked,
    user: user(author),
    html_url: `${pages}/pulls/${number}`,
    head: branch('topic', head, headRepository),
    base: branch('main', '0'.repeat(40), REPOSITORY_ID),
  });
  const status = (one: World['statuses'][number]) => ({
    id: one.id,
    context: one.context,
    status: one.state,
    description: one.description,
    target_url: one.targetUrl,
    created_at: one.createdAt,
    creator: user(world.me),
  });
  const found = (id: string): Comment | undefined => world.comments.find((one) => one.id === Number(id));
  const pull = (index: string): Pull | undefined =>
    world.pulls.find(({ number }) => number === Number(index));

  const repository = '/repos/{owner}/{repo}';
  const handlers: Handlers = {
    'GET /user': () => ({ status: 200, body: user(world.me) }),
    'GET /users/{username}': ({ parameters }) => {
      const named = world.users.find(({ login }) => login === parameters.username);
      return named === undefined ? notFound : { status: 200, body: user(named) };
    },
    'GET /orgs/{org}/members/{username}': ({ parameters }) =>
      world.members.has(parameters.username!) ? { status: 204 } : notFound,
    [`GET ${repository}/issues/comments/{id}`]: ({ parameters }) => {
      const one = found(parameters.id!);
      return one === undefined ? notFound : { status: 200, body: comment(one) };
    },
    [`PATCH ${repository}/issues/comments/{id}`]: ({ parameters, body }) => {
      const one = found(parameters.id!);
      if (one === undefined) return notFound;
      one.body = String(body.body);
      one.updatedAt = now();
      return { status: 200, body: comment(one) };
    },
    [`DELETE ${repository}/issues/comments/{id}`]: ({ parameters }) => {
      const one = found(parameters.id!);
      if (one === undefined) return notFound;
      world.comments.splice(world.comments.indexOf(one), 1);
      return { status: 204 };
    },
    [`GET ${repository}/issues/{index}/comments`]: ({ parameters }) => ({
      status: 200,
      body: world.comments.filter(({ issue }) => issue === Number(parameters.index)).map(comment),
    }),
    [`POST ${repository}/issues/{index}/comments`]: ({ parameters, body }) => ({
      status: 201,
      body: comment(world.comment(Number(parameters.index), world.me, String(body.body))),
    }),
    [`POST ${repository}/issues/comments/{id}/reactions`]: ({ parameters, body }) => {
      const content = String(body.content);
      world.reactions.push({ comment: Number(parameters.id), content });
      return { status: 201, body: { content, user: user(world.me), created_at: now() } };
    },
    [`GET ${repository}/pulls/{index}`]: ({ parameters }) => {
      const one = pull(parameters.index!);
      return one === undefined ? notFound : { status: 200, body: pullRequest(one) };
    },
    [`GET ${repository}/pulls/{index}/files`]: ({ parameters, query }) => ({
      status: 200,
      body: pageOf(pull(parameters.index!)?.files ?? [], query, 2).map((filename) => ({ filename })),
    }),
    [`GET ${repository}/collaborators/{collaborator}/permission`]: ({ parameters }) => {
      if (asks === 'membership') return { status: 403, body: { message: 'Only admins can query' } };
      const named = world.users.find(({ login }) => login === parameters.collaborator);
      if (named === undefined) return notFound;
      const permission = world.permissions.get(named.login) ?? 'read';
      return { status: 200, body: { permission, role_name: permission, user: user(named) } };
    },
    [`POST ${repository}/statuses/{sha}`]: ({ parameters, body }) => ({
      status: 201,
      body: status(
        world.status(parameters.sha!, String(body.state), {
          context: String(body.context),
          description: String(body.description ?? ''),
          targetUrl: String(body.target_url ?? ''),
        }),
      ),
    }),
    [`GET ${repository}/commits/{ref}/statuses`]: ({ parameters, query }) => {
      const all = world.statuses.filter(({ commit }) => commit === parameters.ref).toReversed();
      return { status: 200, body: pageOf(all, query, 2).map(status) };
    },
  };
  const forgejo = version.startsWith('forgejo');
  return forgeServer({
    api: describedApi(version),
    root: '/api/v1',
    token: TOKEN,
    schemes: ['token', 'Bearer'],
    handlers,
    besides: {
      // Forgejo describes this one path apart; both answer their version to anybody.
      'GET /api/forgejo/v1/version': () =>
        forgejo ? { status: 200, body: { version: '16.0.1' } } : notFound,
      'GET /api/v1/version': () => ({ status: 200, body: { version: '1.22.0' } }),
    },
  });
}
