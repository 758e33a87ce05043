/**
 * How everything that a run makes is called. Clean-up believes only the three together: name prefix, run id in the
 * name, and label. A label alone proves nothing, because a container inherits its image's labels, and anyone can
 * build an image that bears ours.
 */
export const PREFIX = 'kg-';

/** Locks (lock.ts) are the one thing whose name carries no run: their labels name its holder. No run id is `lock`. */
export const LOCK_PREFIX = 'kg-lock-';

export const labels = {
  run: 'dev.knowngood.test.run',
  recipe: 'dev.knowngood.test.recipe',
  /** Unix seconds after which no process of this run can be alive any more. */
  until: 'dev.knowngood.test.until',
  /** Who made it, so that the next start on the same machine knows at once that it is gone (owner.ts). */
  owner: 'dev.knowngood.test.owner',
  service: 'dev.knowngood.test.service',
} as const;

/** Labels that compose and swarm set themselves; their value is a project name, which carries prefix and run id. */
const PROJECT_LABELS = ['com.docker.compose.project', 'com.docker.stack.namespace'] as const;

export interface RunName {
  readonly id: string;
  /** `kg-<id>-<what>`; fits DNS labels, projects and volumes. */
  name(what: string): string;
  /** The full label set of everything that is made; overrides whatever an image brings. */
  labels(more?: Readonly<Record<string, string>>): Record<string, string>;
  /** True where name and labels together say that this run made it. */
  owns(name: string, found: Readonly<Record<string, string>> | undefined): boolean;
}

const ID = /^[a-z0-9]{8,16}$/;

/** `id`: 8 to 16 lower-case letters and digits, random. `untilSeconds`: see `labels.until`. */
export function runName(id: string, recipe: string, untilSeconds: number, owner: string): RunName {
  if (!ID.test(id)) throw new RangeError(`run id ${id}`);
  const own = {
    [labels.run]: id,
    [labels.recipe]: recipe,
    [labels.until]: String(untilSeconds),
    [labels.owner]: owner,
  };
  return {
    id,
    name: (what) => `${PREFIX}${id}-${what}`,
    labels: (more = {}) => ({ ...more, ...own }),
    owns: (name, found) => runOf(name, found) === id,
  };
}

/** The run that made this, by name *and* label; `undefined` where they do not agree or it is not ours. */
export function runOf(name: string, found: Readonly<Record<string, string>> | undefined): string | undefined {
  const id = idIn(name);
  if (id === undefined || found === undefined) return undefined;
  if (found[labels.run] === id) return id;
  return PROJECT_LABELS.some((label) => idIn(found[label] ?? '') === id) ? id : undefined;
}

function idIn(name: string): string | undefined {
  return /^kg-([a-z0-9]{8,16})(?:$|[-_.:])/.exec(name)?.[1];
}
