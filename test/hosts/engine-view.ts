import { engineApi } from '../../sandbox/docker-api.ts';
import type { Sandbox } from '../../sandbox/index.ts';

interface Thing {
  readonly Name?: string;
  readonly Names?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** How everything begins that the running test of this commit made: other tests share the engine. */
export async function runOf(box: Sandbox, commit: string): Promise<string> {
  const all = await list(box, '/containers/json?all=1');
  const [ours] = all.filter(({ Labels }) => Labels?.['dev.knowngood.revision'] === commit);
  const prefix = ours === undefined ? undefined : /^kg-[a-z0-9]+-/.exec(nameOf(ours))?.[0];
  if (prefix === undefined) throw new Error(`no container of ${commit} is there`);
  return prefix;
}

/** Containers, networks and volumes whose names begin so. */
export async function leftOver(box: Sandbox, prefix: string): Promise<string[]> {
  const paths = ['/containers/json?all=1', '/networks', '/volumes'];
  const things = await Promise.all(paths.map((path) => list(box, path)));
  return things
    .flat()
    .map(nameOf)
    .filter((name) => name.startsWith(prefix));
}

const nameOf = ({ Name, Names }: Thing): string => (Names?.[0] ?? Name ?? '').replace(/^\//, '');

async function list(box: Sandbox, path: string): Promise<readonly Thing[]> {
  const body = JSON.parse((await engineApi(box.dockerHost, 'GET', path)).body.toString()) as
    | Thing[]
    | { Volumes: Thing[] | null };
  return Array.isArray(body) ? body : (body.Volumes ?? []);
}
