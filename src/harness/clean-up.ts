import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { engineWords } from '../engine/dockerode-failure.ts';
import { removeHomes } from './home.ts';
import { type Journal, journalledRuns, type Made, readJournal } from './journal.ts';
import { isDead } from './liveness.ts';
import { LOCK_PREFIX, labels, runOf } from './naming.ts';
import { livenessOf } from './owner.ts';
import { type Found, findOurs, remove } from './remove.ts';

export interface Removal {
  readonly removed: number;
  /** What could not be removed, and why; warnings, never the verdict. */
  readonly left: readonly { readonly kind: string; readonly name: string; readonly why: string }[];
}

/** Rounds over what is still there: a killed compose may have asked for one more container. */
const ROUNDS = 24;

export interface RunLeftovers {
  readonly run: string;
  /** What only a journal can name: tags of images, folders of ours. */
  readonly journalled: readonly Made[];
  /** It was interrupted: the engine may still be making the last thing that it was asked for. */
  readonly abrupt: boolean;
}

/**
 * Removes everything that a run made: what bears its name and label, and the folders and tags of its journal. Each
 * removal is tried on its own, and again while something else still uses the thing, until `ms` are over.
 */
export async function removeRun(
  docker: Docker,
  { run, journalled, abrupt }: RunLeftovers,
  ms: number,
): Promise<Removal> {
  const until = performance.now() + ms;
  const failures = new Map<string, { kind: string; name: string; why: string }>();
  const seen = new Set<string>();
  const attempt = async (thing: Found): Promise<void> => {
    seen.add(`${thing.kind} ${thing.id}`);
    try {
      await remove(docker, thing);
    } catch (cause) {
      failures.set(`${thing.kind} ${thing.id}`, {
        kind: thing.kind,
        name: thing.name,
        why: engineWords(cause),
      });
    }
  };
  try {
    const swarm = await isSwarmManager(docker);
    let quiet = abrupt ? -1 : 0;
    let found: Found[] = [];
    for (let round = 0; round < ROUNDS && quiet < 1 && performance.now() < until; round++) {
      failures.clear();
      found = await findOurs(docker, (id) => id === run, swarm);
      // Kind after kind, because a network goes only after its containers; within a kind all at once.
      for (const kind of new Set(found.map((thing) => thing.kind))) {
        await Promise.all(found.filter((thing) => thing.kind === kind).map(attempt));
      }
      if (found.length === 0) quiet++;
      if (failures.size > 0 || quiet < 1)
        await new Promise((resolve) => setTimeout(resolve, Math.min(50 * 2 ** round, 1000)));
    }
    // An engine that says yes and does not remove is told of too.
    for (const { kind, id, name } of quiet < 1 ? found : []) {
      const key = `${kind} ${id}`;
      if (!failures.has(key)) failures.set(key, { kind, name, why: 'it was still there when time was over' });
    }
    for (const { kind, name } of journalled) if (kind === 'image') await attempt({ kind, id: name, name });
  } catch (cause) {
    failures.set('engine', { kind: 'engine', name: `everything named kg-${run}-…`, why: engineWords(cause) });
  }
  for (const { kind, name } of journalled) {
    if (kind !== 'folder') continue;
    try {
      rmSync(name, { recursive: true, force: true });
    } catch (cause) {
      failures.set(`folder ${name}`, { kind, name, why: (cause as Error).message });
    }
  }
  if (abrupt) {
    try {
      removeHomes(run);
    } catch (cause) {
      failures.set('home', { kind: 'folder', name: `kg-${run}-…`, why: (cause as Error).message });
    }
  }
  return { removed: seen.size - failures.size, left: [...failures.values()] };
}

/** Ends a run: removes what its journal and its names say, and the journal itself once nothing is left. */
export async function endRun(
  docker: Docker,
  run: string,
  journal: Journal,
  abrupt: boolean,
  ms: number,
): Promise<Removal> {
  const removal = await removeRun(docker, { run, journalled: journal.entries(), abrupt }, ms);
  if (removal.left.length === 0) journal.close();
  return removal;
}

/**
 * Removes what killed runs left: runs whose name and label stand on something of the engine, and whose owner is gone
 * or whose time is over, and runs whose journal lies in `folder` and whose owner is gone. A run that may be alive,
 * on this machine or on another that shares the engine, is left alone.
 */
export async function removeDeadRuns(
  docker: Docker,
  folder: string,
  now: Date,
  ms: number,
): Promise<Removal & { runs: readonly string[] }> {
  const dead = new Set<string>();
  const alive = new Set<string>();
  const judged = new Map<string, Promise<boolean>>();
  const judge = async (name: string, found: Readonly<Record<string, string>> | undefined): Promise<void> => {
    const run = runOf(name, found);
    if (run === undefined || found === undefined || found[labels.run] !== run) return;
    const key = `${run} ${found[labels.owner]} ${found[labels.until]}`;
    if (!judged.has(key)) judged.set(key, isDead(docker, found, now));
    ((await judged.get(key)) === true ? dead : alive).add(run);
  };
  const filters = { label: [labels.run] };
  const [containers, networks, volumes] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
  ]);
  for (const { Names, Labels } of containers) await judge((Names[0] ?? '').replace(/^\//, ''), Labels);
  for (const { Name, Labels } of networks) await judge(Name, Labels);
  for (const { Name, Labels } of volumes.Volumes ?? []) await judge(Name, Labels);
  // A lock is a name that many runs share; it goes with the run that its labels name.
  for (const { Name, Labels } of volumes.Volumes ?? []) {
    if (Name.startsWith(LOCK_PREFIX) && (await isDead(docker, Labels ?? {}, now))) {
      await docker
        .getVolume(Name)
        .remove()
        .catch(() => undefined);
    }
  }
  for (const run of deadJournals(folder)) dead.add(run);
  // A forged label on one thing must not have a living run's other things removed.
  for (const run of alive) dead.delete(run);
  let removed = 0;
  const left: Removal['left'][number][] = [];
  for (const run of dead) {
    const journal = join(folder, `journal-${run}.ndjson`);
    const result = await removeRun(
      docker,
      { run, journalled: ownLines(folder, journal, run), abrupt: true },
      ms,
    );
    removed += result.removed;
    left.push(...result.left);
    if (result.left.length === 0) rmSync(journal, { force: true });
  }
  return { removed, left, runs: [...dead] };
}

/**
 * For a job that is over (GitHub's `post:`): removes the runs whose journals lie in the recipes' folders of `out`,
 * whoever owned them. The engine is asked for only where there is such a journal.
 */
export async function removeJournalledRuns(
  engine: () => Promise<Docker>,
  out: string,
  ms: number,
): Promise<Removal> {
  let removed = 0;
  const left: Removal['left'][number][] = [];
  for (const recipe of foldersIn(out)) {
    const folder = join(out, recipe);
    for (const run of journalledRuns(namesIn(folder))) {
      const journal = join(folder, `journal-${run}.ndjson`);
      const result = await removeRun(
        await engine(),
        { run, journalled: ownLines(folder, journal, run), abrupt: true },
        ms,
      );
      removed += result.removed;
      left.push(...result.left);
      if (result.left.length === 0) rmSync(journal, { force: true });
    }
  }
  return { removed, left };
}

export async function isSwarmManager(docker: Docker): Promise<boolean> {
  const info = (await docker.info()) as { Swarm?: { ControlAvailable?: boolean } };
  return info.Swarm?.ControlAvailable === true;
}

/** Journals whose first line names an owner that is gone. */
function deadJournals(folder: string): string[] {
  return journalledRuns(namesIn(folder)).filter((run) => {
    const text = readFileSync(join(folder, `journal-${run}.ndjson`), 'utf8');
    const owner = /^\{"owner":"([^"]*)"/.exec(text)?.[1];
    return owner !== undefined && livenessOf(owner) === 'dead';
  });
}

/** What a dead run's journal may have removed: its own folder and its own tags; a forged line names nothing else. */
function ownLines(folder: string, journal: string, run: string): Made[] {
  let lines: Made[];
  try {
    lines = readJournal(journal);
  } catch {
    return [];
  }
  return lines.flatMap(({ kind, name }): Made[] => {
    if (kind === 'folder') return [{ kind, name: join(folder, `run-${run}`) }];
    return kind === 'image' && name.startsWith(`kg-${run}-`) ? [{ kind, name }] : [];
  });
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
  } catch {
    return [];
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
