import { engineFailure, engineStatus } from '../engine/dockerode-failure.ts';
import { pause } from './deadline.ts';
import { isDead } from './liveness.ts';
import { LOCK_PREFIX, labels } from './naming.ts';
import type { Site } from './site.ts';

const LOOK_MS = 1000;

/**
 * Lets one run at a time use a fixed name on this engine, whichever machine or container the run is in: the lock is a
 * volume, because making one that is there answers the one that is there, labels included, and an engine does that
 * under a lock of its own. The lock of a run that is gone is taken over.
 */
export async function lockName(site: Site, what: string, signal: AbortSignal): Promise<() => Promise<void>> {
  const { docker, name } = site;
  const volume = `${LOCK_PREFIX}${what.replace(/[^A-Za-z0-9_.-]+/g, '-')}`;
  let told = false;
  try {
    for (;;) {
      site.journal.note('volume', volume);
      const holder = await holderOf(site, volume);
      if (holder[labels.run] === name.id) break;
      if (await isDead(docker, holder, site.now())) {
        await removeQuietly(site, volume);
        continue;
      }
      if (!told)
        site.say(
          `Waiting for another run of \`${what}\` on this engine (${holder[labels.run] ?? 'not ours'}).`,
        );
      told = true;
      await pause(LOOK_MS, signal);
    }
  } catch (cause) {
    throw signal.aborted ? signal.reason : engineFailure(cause, `waiting for ${what}`, signal);
  }
  return () => removeQuietly(site, volume);
}

async function holderOf(site: Site, volume: string): Promise<Readonly<Record<string, string>>> {
  await site.docker.createVolume({ Name: volume, Labels: site.name.labels() }).catch((cause: unknown) => {
    // Podman does not answer the one that is there, it says so.
    if (engineStatus(cause) !== 409 && engineStatus(cause) !== 500) throw cause;
  });
  return (await site.docker.getVolume(volume).inspect()).Labels ?? {};
}

async function removeQuietly(site: Site, volume: string): Promise<void> {
  await site.docker
    .getVolume(volume)
    .remove()
    .catch(() => undefined);
}
