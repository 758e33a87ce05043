import type { ServiceState } from './containers.ts';

/** What ran at one end of an upgrade: by service the image's id, and the version that its labels state. */
export type Snapshot = ReadonlyMap<string, { readonly imageId: string; readonly version?: string }>;

export function snapshotOf(states: readonly ServiceState[]): Snapshot {
  const snapshot = new Map<string, { imageId: string; version?: string }>();
  for (const { service, imageId, version, replaced } of states) {
    if (replaced === true || imageId === '') continue;
    const before = snapshot.get(service);
    // Several containers of one service have to agree; where they do not, no single image is what it runs.
    const ids = new Set([...(before?.imageId.split(' ') ?? []), imageId]);
    snapshot.set(service, {
      imageId: [...ids].sort().join(' '),
      ...(version === undefined ? {} : { version }),
    });
  }
  return snapshot;
}

export interface EffectQuestion {
  readonly before: Snapshot;
  readonly after: Snapshot;
  /** The candidate's image by service, where it is known. */
  readonly wanted: ReadonlyMap<string, string>;
  /** Services that run the recipe's own image or carry its version label. */
  readonly own: ReadonlySet<string>;
  /** The application's own files (compose files and what they mount) are others than the base's. */
  readonly treeMoved: boolean;
}

/** Whether the upgrade had an effect, and if not, why not, in words for a person. */
export type Effect =
  | { readonly ok: true; readonly moved: readonly string[] }
  | { readonly ok: false; readonly why: string };

/**
 * An upgrade had an effect if something moved (a service's image, or the application's files), every service runs
 * what the candidate asks for, and a version label of the recipe's own that both ends have moved with its image. Health alone
 * proves nothing: an orchestrator that took the upgrade back is healthy too.
 */
export function effectOf({ before, after, wanted, own, treeMoved }: EffectQuestion): Effect {
  for (const [service, imageId] of wanted) {
    const found = after.get(service);
    if (found === undefined) return no(`\`${service}\` does not run after the upgrade.`);
    if (found.imageId !== imageId)
      return no(`\`${service}\` runs ${short(found.imageId)}, not the candidate's ${short(imageId)}.`);
  }
  const moved = [...after]
    .filter(([service, { imageId }]) => before.get(service)?.imageId !== imageId)
    .map(([service]) => service);
  if (moved.length === 0 && !treeMoved)
    return no('No service runs another image than before, and no file of the application changed.');
  for (const service of moved) {
    const old = before.get(service)?.version;
    const now = after.get(service)?.version;
    if (old !== undefined && now !== undefined && old === now && own.has(service)) {
      return no(`\`${service}\` runs another image, but its version label still says ${now}.`);
    }
  }
  return { ok: true, moved };
}

function no(why: string): Effect {
  return { ok: false, why };
}

function short(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
