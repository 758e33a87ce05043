import type { Http } from '../http/http.ts';
import { Failure } from '../outcome.ts';
import { at, isObject } from '../untrusted/fields.ts';

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
  /** Nothing of it runs any more, or ever will. */
  readonly ended: boolean;
  /** What it was started with; empty for builds that an event started. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The build's page. */
  readonly url: string;
}

export interface DroneServer {
  start(request: DroneBuildRequest): Promise<DroneBuild>;
  build(slug: string, number: number): Promise<DroneBuild | undefined>;
  /** The most recent builds, newest first. */
  builds(slug: string): Promise<readonly DroneBuild[]>;
  /** Needs an administrator of the repository. A build that has ended stays as it is. */
  stop(slug: string, number: number): Promise<void>;
  /** The build whose page this is, if it is one of this server and repository. */
  numberOf(slug: string, page: string | undefined): number | undefined;
}

/** States of a build that goes on; all others are ends. */
const GOES_ON = ['pending', 'running', 'blocked', 'waiting_on_dependencies'];

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
    const number = at(value, 'number');
    const status = at(value, 'status');
    if (typeof number !== 'number' || typeof status !== 'string') {
      throw new Failure('forge-failed', 'The Drone server answered with something that is no build.');
    }
    const params = at(value, 'params');
    const parameters = Object.fromEntries(
      Object.entries(isObject(params) ? params : {}).filter(([, text]) => typeof text === 'string'),
    ) as Record<string, string>;
    return {
      number,
      status,
      ended: !GOES_ON.includes(status),
      parameters,
      url: `${base}/${slug}/${number}`,
    };
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
    builds: async (slug) => {
      const answer = await ask('GET', `/api/repos/${slugPath(slug)}/builds`);
      if (!answer.ok)
        throw new Failure('forge-failed', `The builds could not be listed: ${options.http.describe(answer)}`);
      const list = answer.json();
      return (Array.isArray(list) ? list : []).map((one) => shape(one, slug));
    },
    stop: async (slug, number) => {
      const answer = await ask('DELETE', `/api/repos/${slugPath(slug)}/builds/${number}`);
      if (!answer.ok && answer.status !== 404)
        throw new Failure('forge-failed', `The build could not be stopped: ${options.http.describe(answer)}`);
    },
    numberOf: (slug, page) => {
      const start = `${base}/${slug}/`;
      const rest = page?.startsWith(start) === true ? page.slice(start.length) : '';
      return /^\d{1,9}$/.test(rest) ? Number(rest) : undefined;
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
