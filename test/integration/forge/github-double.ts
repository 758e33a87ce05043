import { describedApi } from './described-api.ts';
import { type Answer, type ForgeServer, forgeServer, type Handlers, pageOf } from './forge-server.ts';
import { type Comment, NAME, now, OWNER, type Pull, REPOSITORY_ID, type User, type World } from './world.ts';

/** The token that the double takes. */
export const TOKEN = 'ghs_forForgeDoublesOnly000000000000000000';

const notFound: Answer = { status: 404, body: { message: 'Not Found' } };

/**
 * GitHub over REST, as an enterprise server has it (`/api/v3`). `kind`: a job's token is an app's and may not ask who
 * it is over REST; a person's may.
 */
export function githubDouble(world: World, kind: 'job' | 'person' = 'job'): Promise<ForgeServer> {
  const pages = `https://forge.example.org/${OWNER}/${NAME}`;
  const user = ({ id, login, bot }: User) => ({ id, login, type: bot === true ? 'Bot' : 'User' });
  const repository = (id: number) => ({
    id,
    name: NAME,
    full_name: `${OWNER}/${NAME}`,
    html_url: pages,
    private: false,
    license: null,
  });
  const comment = ({ id, issue, user: author, body, createdAt, updatedAt }: Comment) => ({
    id,
    body,
    user: user(author),
    created_at: createdAt,
    updated_at: updatedAt,
    html_url: `${pages}/pull/${issue}#issuecomment-${id}`,
    issue_url: `${pages}/issues/${issue}`,
  });
  const pullRequest = ({ number, state, locked, author, head, headRepository }: Pull) => ({
    number,
    state,
    locked,
    user: user(author),
    html_url: `${pages}/pull/${number}`,
    head: {
      sha: head,
      ref: 'topic',
      repo: headRepository === null ? null : repository(headRepository),
      user: user(author),
    },
    base: { ref: 'main', sha: '0'.repeat(40), repo: repository(REPOSITORY_ID), user: user(author) },
  });
  const found = (id: string): Comment | undefined => world.comments.find((one) => one.id === Number(id));

  const issues = '/repos/{owner}/{repo}/issues';
  const handlers: Handlers = {
    'GET /user': () =>
      kind === 'person'
        ? { status: 200, body: { ...user(world.me) } }
        : { status: 403, body: { message: 'Resource not accessible by integration' } },
    'GET /users/{username}': ({ parameters }) => {
      const named = world.users.find(({ login }) => login === parameters.username);
      return named === undefined ? notFound : { status: 200, body: user(named) };
    },
    [`GET ${issues}/comments/{comment_id}`]: ({ parameters }) => {
      const one = found(parameters.comment_id!);
      return one === undefined ? notFound : { status: 200, body: comment(one) };
    },
    [`PATCH ${issues}/comments/{comment_id}`]: ({ parameters, body }) => {
      const one = found(parameters.comment_id!);
      if (one === undefined) return notFound;
      one.body = String(body.body);
      one.updatedAt = now();
      return { status: 200, body: comment(one) };
    },
    [`DELETE ${issues}/comments/{comment_id}`]: ({ parameters }) => {
      const one = found(parameters.comment_id!);
      if (one === undefined) return notFound;
      world.comments.splice(world.comments.indexOf(one), 1);
      return { status: 204 };
    },
    [`GET ${issues}/{issue_number}/comments`]: ({ parameters, query }) => {
      const all = world.comments.filter(({ issue }) => issue === Number(parameters.issue_number));
      return { status: 200, body: pageOf(all, query, 100).map(comment) };
    },
    [`POST ${issues}/{issue_number}/comments`]: ({ parameters, body }) => ({
      status: 201,
      body: comment(world.comment(Number(parameters.issue_number), world.me, String(body.body))),
    }),
    [`POST ${issues}/comments/{comment_id}/reactions`]: ({ parameters, body }) => {
      const content = String(body.content);
      world.reactions.push({ comment: Number(parameters.comment_id), content });
      return { status: 201, body: { id: world.id(), content, user: user(world.me) } };
    },
    'GET /repos/{owner}/{repo}/pulls/{pull_number}': ({ parameters }) => {
      const pull = world.pulls.find(({ number }) => number === Number(parameters.pull_number));
      if (pull === undefined) return notFound;
      // By the description a head always has a repository; where the fork was deleted, GitHub answers null.
      return { status: 200, body: pullRequest(pull), beyond: /^answer 200\/head\/repo: must be object$/ };
    },
    'GET /repos/{owner}/{repo}/pulls/{pull_number}/files': ({ parameters, query }) => {
      const pull = world.pulls.find(({ number }) => number === Number(parameters.pull_number));
      const files = (pull?.files ?? []).map((filename) => ({ filename, status: 'modified' }));
      return { status: 200, body: pageOf(files, query, 100) };
    },
    'GET /repos/{owner}/{repo}/collaborators/{username}/permission': ({ parameters }) => {
      const named = world.users.find(({ login }) => login === parameters.username);
      if (named === undefined) return notFound;
      const permission = world.permissions.get(named.login) ?? 'read';
      const people = { ...user(named), permissions: undefined };
      return { status: 200, body: { permission, role_name: permission, user: people } };
    },
    'POST /repos/{owner}/{repo}/statuses/{sha}': ({ parameters, body }) => {
      const made = world.status(parameters.sha!, String(body.state), {
        context: String(body.context),
        description: String(body.description ?? ''),
        targetUrl: String(body.target_url ?? ''),
      });
      return { status: 201, body: status(made) };
    },
    'GET /repos/{owner}/{repo}/commits/{ref}/statuses': ({ parameters, query }) => {
      const all = world.statuses.filter(({ commit }) => commit === parameters.ref).toReversed();
      return { status: 200, body: pageOf(all, query, 100).map(status) };
    },
    'GET /repos/{owner}/{repo}': () => ({ status: 200, body: repository(REPOSITORY_ID) }),
  };
  const status = (one: World['statuses'][number]) => ({
    id: one.id,
    context: one.context,
    state: one.state,
    description: one.description,
    target_url: one.targetUrl === '' ? null : one.targetUrl,
    created_at: one.createdAt,
    updated_at: one.createdAt,
    creator: user(world.me),
  });
  return forgeServer({
    api: describedApi('github'),
    root: '/api/v3',
    token: TOKEN,
    schemes: ['Bearer', 'token'],
    handlers,
    besides: {
      // GraphQL is not in the REST description; this is the one query that an app's token needs.
      'POST /api/graphql': ({ body }) =>
        /^\s*\{\s*viewer\s*\{\s*login\s*\}\s*\}\s*$/.test(String(body.query))
          ? { status: 200, body: { data: { viewer: { login: world.me.login } } } }
          : { status: 200, body: { errors: [{ message: 'not the query that is known' }] } },
      'GET /api/forgejo/v1/version': () => notFound,
      'GET /api/v1/version': () => notFound,
      'GET /api/v3/meta': () => ({ status: 200, body: { installed_version: '3.19.0' } }),
    },
  });
}
