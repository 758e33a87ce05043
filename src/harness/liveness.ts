import type Docker from 'dockerode';
import { engineStatus } from '../engine/dockerode-failure.ts';
import { labels } from './naming.ts';
import { livenessOf, ownerContainer } from './owner.ts';

/**
 * Whether the run that put these labels is certainly over: its process is gone from this machine, the container that
 * it ran in is gone from this engine, or its time is long over. Unknown is not dead.
 */
export async function isDead(
  docker: Docker,
  found: Readonly<Record<string, string>>,
  now: Date,
): Promise<boolean> {
  const owner = found[labels.owner] ?? '';
  const liveness = livenessOf(owner);
  if (liveness !== 'unknown') return liveness === 'dead';
  const container = ownerContainer(owner);
  if (container !== undefined) {
    try {
      return (await docker.getContainer(container).inspect()).State.Running !== true;
    } catch (cause) {
      if (engineStatus(cause) === 404) return true;
      throw cause;
    }
  }
  const until = Number(found[labels.until]);
  return Number.isFinite(until) && until > 0 && now.getTime() / 1000 > until;
}
