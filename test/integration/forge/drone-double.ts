import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface DroneBuildState {
  readonly number: number;
  status: string;
  readonly event: string;
  readonly target: string;
  readonly params: Readonly<Record<string, string>>;
}

export interface DroneDouble {
  readonly url: string;
  /** Method and path with query, in order. */
  readonly requests: readonly string[];
  readonly builds: DroneBuildState[];
  /** Requests that Drone's documentation does not have. Must stay empty. */
  readonly deviations: readonly string[];
  /** Answers the next request with this status. */
  fail(status: number): void;
  stop(): Promise<void>;
}

export const DRONE_TOKEN = 'drone-token-for-doubles-only';

/**
 * A Drone server, as its documentation has the API (docs.drone.io/api/builds: "Build Create", "Build Info", "Build
 * List", "Build Stop"). A build whose query has `commit` is one whose pipeline file the pull request wrote. `started`
 * is told each new build, to run it.
 */
export async function droneDouble(
  slug: string,
  started: (build: DroneBuildState) => void = () => {},
): Promise<DroneDouble> {
  const requests: string[] = [];
  const builds: DroneBuildState[] = [];
  const deviations: string[] = [];
  const failures: number[] = [];
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    const { method = '', url: path = '' } = incoming;
    requests.push(`${method} ${path}`);
    const answer = (status: number, body: unknown): void => {
      outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const failure = failures.shift();
    if (failure !== undefined) return answer(failure, { message: 'as the test wants it' });
    if (incoming.headers.authorization !== `Bearer ${DRONE_TOKEN}`) {
      return answer(401, { message: 'Unauthorized' });
    }
    const { pathname, searchParams } = new URL(path, 'http://drone');
    const base = `/api/repos/${slug}/builds`;
    if (pathname === base && method === 'POST') {
      const { branch, commit, ...params } = Object.fromEntries(searchParams);
      if (commit !== undefined) deviations.push(`${path}: a build of the commit's own pipeline file`);
      const build: DroneBuildState = {
        number: builds.length + 41,
        status: 'pending',
        event: 'custom',
        target: branch ?? '',
        params,
      };
      builds.push(build);
      started(build);
      return answer(200, documented(build));
    }
    if (pathname === base && method === 'GET') return answer(200, builds.toReversed().map(documented));
    const number = Number(/^\/(\d+)$/.exec(pathname.slice(base.length))?.[1]);
    const build = builds.find((one) => one.number === number);
    if (!pathname.startsWith(`${base}/`) || !['GET', 'DELETE'].includes(method)) {
      deviations.push(`${method} ${path}: not in Drone's documentation`);
      return answer(405, { message: 'Method Not Allowed' });
    }
    if (build === undefined) return answer(404, { message: 'Not Found' });
    if (method === 'DELETE') build.status = 'killed';
    return answer(200, documented(build));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    builds,
    deviations,
    fail: (status) => {
      failures.push(status);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A build with the fields of the documentation's example. */
function documented({ number, status, event, target, params }: DroneBuildState): unknown {
  return {
    id: 100_000 + number,
    repo_id: 296_163,
    number,
    status,
    event,
    ref: `refs/heads/${target}`,
    target,
    author_login: 'robin',
    sender: 'robin',
    params,
    started: 0,
    finished: 0,
    created: 1_564_085_874,
    updated: 1_564_085_874,
    version: 1,
  };
}
