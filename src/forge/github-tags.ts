import type { Http, HttpRequest } from '../http/http.ts';
import { Failure } from '../outcome.ts';
import { at, isObject, textOf } from '../untrusted/fields.ts';

/** Repositories of one request, and tags of one of them: GitHub's own limits. */
const REPOSITORIES = 100;
const TAGS = 100;
/** Decoded bytes of an answer: a hundred repositories with a hundred tags each are some 2 MB. */
const LIMIT = 32 * 1024 * 1024;

/** A tag as GitHub has it: what it names, and the commit that it stands for. */
export interface GithubTag {
  readonly object: string;
  readonly commit: string;
}

/** Repositories of one GitHub server, by address. */
interface Known {
  /** The address of its GraphQL API. */
  readonly url: string;
  readonly repositories: ReadonlyMap<string, { readonly owner: string; readonly name: string }>;
}

/**
 * The addresses that are repositories of the GitHub server whose token the job has: github.com, or the server that
 * `forge-url` names. `undefined` where the token is of another forge, which GitHub is never shown.
 */
export function onGithub(
  addresses: readonly string[],
  { home, forgeUrl }: { readonly home: string | undefined; readonly forgeUrl: string | undefined },
): Known | undefined {
  const given = forgeUrl ?? home;
  if (given === undefined || !URL.canParse(given)) return undefined;
  const { hostname, origin } = new URL(given);
  const isPublic = ['github.com', 'www.github.com', 'api.github.com'].includes(hostname);
  const api = /^(.*)\/api\/(?:v3|graphql)\/?$/.exec(given);
  if (!isPublic && api === null) return undefined;
  const server = isPublic ? 'https://github.com' : origin;
  const repositories = new Map<string, { owner: string; name: string }>();
  for (const address of addresses) {
    if (!URL.canParse(address)) continue;
    const { origin: its, pathname, username, search, hash } = new URL(address);
    const [, owner, name] = /^\/([\w.-]+)\/([\w.-]+?)(?:\.git)?\/?$/.exec(pathname) ?? [];
    // A login in the address is for that repository alone.
    if (its !== server || username !== '' || search !== '' || hash !== '') continue;
    if (owner !== undefined && name !== undefined) repositories.set(address, { owner, name });
  }
  return { url: isPublic ? 'https://api.github.com/graphql' : `${api![1]}/api/graphql`, repositories };
}

/** The query for the tags of this many repositories; names go in as variables, never as text. */
export function tagsQuery(count: number): string {
  const indices = Array.from({ length: count }, (_, index) => index);
  const variables = indices.map((index) => `$o${index}: String!, $n${index}: String!`);
  const fields = indices.map(
    (index) => `r${index}: repository(owner: $o${index}, name: $n${index}, followRenames: false) { ...tags }`,
  );
  return `query (${variables.join(', ')}) {
${fields.join('\n')}
}
fragment tags on Repository {
  refs(refPrefix: "refs/tags/", first: ${TAGS}) {
    pageInfo { hasNextPage }
    nodes { name target { __typename oid ... on Tag { target { __typename oid } } } }
  }
}`;
}

/**
 * Tags of many repositories, a hundred a request. A repository is left out where GitHub does not show it, has more
 * tags than a page, or a tag of a tag, and all are where it does not answer: then git itself is asked, whose answer
 * counts.
 */
export async function githubTags({
  http,
  url,
  repositories,
  token,
  signal,
  tell,
}: Known & {
  readonly http: Http;
  readonly token: string;
  readonly signal: AbortSignal;
  readonly tell: (text: string) => void;
}): Promise<ReadonlyMap<string, ReadonlyMap<string, GithubTag>>> {
  const found = new Map<string, ReadonlyMap<string, GithubTag>>();
  const all = [...repositories];
  for (let start = 0; start < all.length; start += REPOSITORIES) {
    const batch = all.slice(start, start + REPOSITORIES);
    const variables = Object.fromEntries(
      batch.flatMap(([, { owner, name }], index) => [
        [`o${index}`, owner],
        [`n${index}`, name],
      ]),
    );
    const answer = await answerOf(http, {
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'knowngood' },
      authorization: `Bearer ${token}`,
      body: JSON.stringify({ query: tagsQuery(batch.length), variables }),
      limit: LIMIT,
      // Reading twice changes nothing.
      idempotent: true,
      signal,
      codes: { unreachable: 'forge-unreachable', invalid: 'forge-failed' },
    });
    if (typeof answer === 'string') {
      tell(`GitHub does not tell the tags of many at once (${answer}); each repository is asked.`);
      return found;
    }
    const data = at(answer, 'data');
    for (const [index, [address]] of batch.entries()) {
      const tags = tagsIn(at(data, `r${index}`, 'refs'));
      if (tags !== undefined) found.set(address, tags);
    }
  }
  return found;
}

/** The answer's JSON, or why there is none: the tags can be had otherwise, so nothing but a cancellation ends this. */
async function answerOf(http: Http, request: HttpRequest): Promise<object | string> {
  try {
    const answer = await http.request(request);
    const json = answer.ok ? answer.json() : undefined;
    return isObject(json) ? json : String(answer.status);
  } catch (cause) {
    if (cause instanceof Failure && cause.code !== 'cancelled') return cause.code;
    throw cause;
  }
}

function tagsIn(refs: unknown): ReadonlyMap<string, GithubTag> | undefined {
  const nodes = at(refs, 'nodes');
  if (at(refs, 'pageInfo', 'hasNextPage') !== false || !Array.isArray(nodes)) return undefined;
  const tags = new Map<string, GithubTag>();
  for (const node of nodes) {
    const name = textOf(at(node, 'name'));
    const target = at(node, 'target');
    const object = objectId(at(target, 'oid'));
    const inner = at(target, '__typename') === 'Tag' ? at(target, 'target') : target;
    const commit = objectId(at(inner, 'oid'));
    if (!isObject(inner) || inner.__typename === 'Tag') return undefined;
    if (name === undefined || object === undefined || commit === undefined) return undefined;
    tags.set(name, { object, commit });
  }
  return tags;
}

function objectId(value: unknown): string | undefined {
  return typeof value === 'string' && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value) ? value : undefined;
}
