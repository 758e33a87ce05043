import type { Http } from '../http/http.ts';
import { Failure } from '../outcome.ts';

/** What a build is started with; names become `KNOWNGOOD_*` parameters of the build. */
export interface DroneBuildRequest {
  /** `owner/name` as Drone knows the repository. */
  readonly slug: string;
  /** The release branch: its tip's pipeline runs. */
  readonly branch: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface DroneBuild {
  readonly number: number;
  readonly status: string;
  readonly url: string;
}

export interface DroneServer {
  start(request: DroneBuildRequest): Promise<DroneBuild>;
  build(slug: string, number: number): Promise<DroneBuild | undefined>;
}

/** Parameters are part of the request's address and of the build's environment: nothing but plain words. */
const NAME = /^KNOWNGOOD_[A-Z0-9_]{1,64}$/;
const VALUE = /^[A-Za-z0-9._+:/@-]{1,256}$/;

/**
 * Drone's REST API, as far as starting builds goes (`POST /api/repos/{owner}/{repo}/builds`). The query never has
 * `commit`: with it Drone loads the pipeline file of that commit, a pull request's own, for an event that gets every
 * secret; and protected mode does not apply to builds that the API started.
 */
export function droneServer(options: {
  http: Http;
  url: string;
  token: string;
  signal: AbortSignal;
}): DroneServer {
  const base = options.url.replace(/\/+$/, '');

  const shape = (value: unknown, slug: string): DroneBuild => {
    const { number, status } = (value ?? {}) as { number?: unknown; status?: unknown };
    if (typeof number !== 'number' || typeof status !== 'string') {
      throw new Failure('forge-failed', 'The Drone server answered with something that is no build.');
    }
    return { number, status, url: `${base}/${slug}/${number}` };
  };

  const ask = async (method: string, path: string) => {
    const answer = await options.http.request({
      url: `${base}${path}`,
      method,
      authorization: `Bearer ${options.token}`,
      signal: options.signal,
      codes: { unreachable: 'forge-unreachable', invalid: 'forge-failed' },
    });
    if (answer.status === 401 || answer.status === 403) {
      throw new Failure('forge-denied', `The Drone server refused the token (${answer.status}).`, {
        remedy: 'Check `drone-token`; its user needs write permission for the repository.',
      });
    }
    return answer;
  };

  return {
    start: async ({ slug, branch, parameters }) => {
      const query = new URLSearchParams({ branch });
      for (const [name, value] of Object.entries(parameters)) {
        if (!NAME.test(name) || !VALUE.test(value)) {
          throw new Failure(
            'setting-invalid',
            `The build parameter ${name.slice(0, 80)} is not a plain word.`,
          );
        }
        query.set(name, value);
      }
      const answer = await ask('POST', `/api/repos/${slugPath(slug)}/builds?${query}`);
      if (!answer.ok)
        throw new Failure('forge-failed', `The build could not be started: ${options.http.describe(answer)}`);
      return shape(answer.json(), slug);
    },
    build: async (slug, number) => {
      const answer = await ask('GET', `/api/repos/${slugPath(slug)}/builds/${number}`);
      if (answer.status === 404) return undefined;
      if (!answer.ok)
        throw new Failure('forge-failed', `The build could not be read: ${options.http.describe(answer)}`);
      return shape(answer.json(), slug);
    },
  };
}

function slugPath(slug: string): string {
  const parts = slug.split('/');
  if (parts.length !== 2 || parts.some((part) => !/^[A-Za-z0-9._-]+$/.test(part) || /^\.+$/.test(part))) {
    throw new Failure('setting-invalid', 'The repository is not of the form owner/name.');
  }
  return parts.map(encodeURIComponent).join('/');
}
