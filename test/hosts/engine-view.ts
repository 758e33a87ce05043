import { engineApi } from '../../sandbox/docker-api.ts';
import type { Sandbox } from '../../sandbox/index.ts';

/** Containers, networks and volumes of test runs that are still there. */
export async function leftOver(box: Sandbox): Promise<string[]> {
  const names: string[] = [];
  for (const path of ['/containers/json?all=1', '/networks', '/volumes']) {
    const body = JSON.parse((await engineApi(box.dockerHost, 'GET', path)).body.toString());
    for (const one of path === '/volumes' ? (body.Volumes ?? []) : body) {
      const name = String(one.Names?.[0] ?? one.Name).replace(/^\//, '');
      if (/^(kg|knowngood)-/.test(name)) names.push(name);
    }
  }
  return names;
}
