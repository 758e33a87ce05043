import { engineFailure, engineStatus, engineWords } from '../engine/dockerode-failure.ts';
import type { Site } from './site.ts';

/** Where we are in a container of the engine, puts us onto the run's network, so that the subject is beside us. */
export async function joinNetwork(site: Site, network: string): Promise<void> {
  if (site.where.kind !== 'container') return;
  try {
    await site.docker.getNetwork(network).connect({ Container: site.where.id });
  } catch (cause) {
    // Docker answers 403 and Podman 500 where we are on it already.
    if (/already (?:exists|attached|connected)/i.test(engineWords(cause))) return;
    throw engineFailure(cause, 'joining the network of the run', new AbortController().signal);
  }
}

/** A network with somebody on it cannot be removed. */
export async function leaveNetwork(site: Site, network: string): Promise<void> {
  if (site.where.kind !== 'container') return;
  try {
    await site.docker.getNetwork(network).disconnect({ Container: site.where.id, Force: true });
  } catch (cause) {
    const status = engineStatus(cause);
    if (status === 404 || /not connected/i.test(engineWords(cause))) return;
    throw engineFailure(cause, 'leaving the network of the run', new AbortController().signal);
  }
}
