import type Docker from 'dockerode';
import { engineFailure } from '../engine/dockerode-failure.ts';
import { isDead } from './liveness.ts';
import { labels, runOf } from './naming.ts';
import { thisOwner } from './owner.ts';

/**
 * The recipes whose tests run on this engine right now, for another process than ours. What a killed run left is not
 * in flight; one of another machine that may be alive is.
 */
export async function recipesInFlight(
  docker: Docker,
  now: Date,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const filters = { label: [labels.run] };
    const found = new Set<string>();
    for (const { Names, Labels } of await docker.listContainers({ filters })) {
      if (runOf((Names[0] ?? '').replace(/^\//, ''), Labels) === undefined) continue;
      if (Labels[labels.owner]?.startsWith(thisOwner()) === true) continue;
      if (!(await isDead(docker, Labels, now))) found.add(Labels[labels.recipe] ?? '');
    }
    return [...found].sort();
  } catch (cause) {
    throw engineFailure(cause, 'looking for other runs', signal);
  }
}
