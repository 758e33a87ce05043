import { posix } from 'node:path';
import type { RemoteTag } from '../../git/tags.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { CanonicalRecord } from '../../ledger/record.ts';
import { isReasonCode } from '../../reasons.ts';
import { resultLine } from '../../report/sweep.ts';
import { latestStable, listReleases, parsePattern, type Release } from '../../rules/releases.ts';
import { backOff } from '../../rules/sweep/back-off.ts';
import type { SweepResult } from '../../rules/sweep/result.ts';
import { isUnchanged } from '../../rules/sweep/trigger.ts';
import { type Canonical, triage } from '../../rules/triage.ts';
import type { FleetEntry, FleetFile } from '../../settings/fleet-file.ts';
import type { FreeStepInput } from '../step.ts';
import type { RecipeTools } from '../tools.ts';
import { eachOf } from './each.ts';
import { bringMirrorsUpToDate, type MirrorState } from './mirrors.ts';
import type { Results } from './results.ts';
import { endOwnPromotion, splitRuns } from './resumed.ts';
import { type Known, resultFrom, type Verdict, verdictOfFailure } from './verdict.ts';

/** Recipes whose tags are looked at side by side; requests, not runs. */
const LOOKS = 16;

/** Records only: the trails of a thousand recipes are much, and nobody asks for them here. */
export type Records = ReadonlyMap<string, () => CanonicalRecord | undefined>;

export async function recordsIn(ledger: Ledger): Promise<Records> {
  const views = await ledger.all();
  return new Map([...views].map(([recipe, view]) => [recipe, recordOf(() => view.record())]));
}

function recordOf(read: () => CanonicalRecord | undefined): () => CanonicalRecord | undefined {
  try {
    const record = read();
    return () => record;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

export interface Sweep {
  readonly input: FreeStepInput;
  readonly began: Date;
  readonly fleet: FleetFile;
  readonly ledger: Ledger;
  /** Every recipe's record as the ledger had it at the beginning; asking fails where it is damaged. */
  readonly records: Records;
  readonly results: Results;
}

/** A recipe that has something to run. */
export interface Due {
  readonly entry: FleetEntry;
  readonly release: Release;
  readonly known: Known;
  readonly attempts: number;
}

/** Notes a result and says it. */
export function tellResult({ input, results }: Sweep, result: SweepResult): void {
  results.add(result);
  input.log.info(resultLine(result));
}

/** Decides for each recipe whether it runs; whatever does not has its result now. */
export async function lookAtAll(sweep: Sweep, entries: readonly FleetEntry[]): Promise<readonly Due[]> {
  const { input, records } = sweep;
  const due: Due[] = [];
  const mirrors = await bringMirrorsUpToDate(input, entries);
  const asked = entries.filter(({ recipe, enrolled }) => enrolled && !isStale(mirrors.get(recipe)));
  const many = await input.tools.tagsOfMany(asked.map(({ repository }) => repository));
  await eachOf(entries, LOOKS, async (entry) => {
    const startedAt = input.now();
    const mirror = mirrors.get(entry.recipe);
    const known: Known = {
      old: null,
      latest: null,
      mirror: mirror === undefined ? null : isStale(mirror) ? 'stale' : 'fresh',
    };
    try {
      const record = records.get(entry.recipe)?.();
      known.old = record?.version ?? null;
      const found = isStale(mirror)
        ? mirror
        : await look(sweep, { record, tags: many.get(entry.repository) }, entry, known);
      if ('release' in found) due.push(found);
      else tellResult(sweep, resultFrom(input, entry, startedAt, known, found));
    } catch (error) {
      tellResult(sweep, resultFrom(input, entry, startedAt, known, verdictOfFailure(error)));
    }
  });
  const order = new Map(entries.map(({ recipe }, index) => [recipe, index]));
  return due.sort((a, b) => order.get(a.entry.recipe)! - order.get(b.entry.recipe)!);
}

function isStale(mirror: MirrorState | undefined): mirror is Verdict {
  return mirror !== undefined && mirror !== 'fresh';
}

async function look(
  sweep: Sweep,
  {
    record,
    tags: told,
  }: { record: CanonicalRecord | undefined; tags: ReadonlyMap<string, RemoteTag> | undefined },
  entry: FleetEntry,
  known: Known,
): Promise<Due | Verdict> {
  const { fleet } = sweep;
  const { tools, settings } = sweep.input;
  if (!entry.enrolled) return notEnrolled(entry.reason);
  const canonical: Canonical | undefined = record && {
    version: record.version,
    tag: record.tag,
    commit: record.commit,
    hold: record.hold,
  };
  const beside = await tools.configBeside({
    entry,
    defaults: fleet.value.defaults,
    folder: posix.dirname(fleet.name),
  });
  if (beside?.value.enrolled === false) return notEnrolled();
  const found = told ?? (await tools.remoteTags(entry.repository));
  const tags = [...found].map(([name, { commit }]) => ({ name, commit }));
  const given = settings.given.has('tag-pattern') ? settings.tagPattern : undefined;
  const pattern = given ?? (beside === undefined ? patternOf(fleet) : (beside.value.releases.tags ?? '*'));
  const patternIsSure = given !== undefined || beside !== undefined;
  if (isUnchanged({ tags, pattern, patternIsSure, canonical })) {
    known.latest = known.old;
    return { outcome: 'skipped', reasons: ['no-new-version'] };
  }
  const owned = (image: string): string | undefined => ownerOf(sweep, entry, image);
  const release = await newest(await tools.ofRecipe(entry.recipe), { canonical, known, owned });
  if ('reasons' in release) return release;
  return sinceLastTime(sweep, { entry, release, known });
}

/** Whether the release may be tried now, by what the run log says of it. */
async function sinceLastTime(
  { ledger, results, input }: Sweep,
  { entry, release, known }: Omit<Due, 'attempts'>,
): Promise<Due | Verdict> {
  const target = { version: release.version.raw, commit: release.commit };
  const view = await ledger.read(entry.recipe);
  const { before, own } = splitRuns(view.runs(), results.begun, target);
  const at = { now: input.now(), harness: input.tools.version };
  if (own?.verdict === 'red') {
    const { attempts } = backOff([...before, own], target, at);
    return { outcome: 'red', reasons: own.reasons.filter(isReasonCode), attempts, base: own.base };
  }
  await endOwnPromotion(ledger, view, results, input);
  const { attempts, until } = backOff(before, target, at);
  if (until !== undefined) {
    return { outcome: 'deferred', reasons: ['backoff'], attempts, nextEligibleAt: until.toISOString() };
  }
  return { entry, release, known, attempts };
}

/**
 * The recipe that an image belongs to, by fleet.yml or by its record, where that is another one: a recipe's own file
 * could name any image that the fleet's credentials can write.
 */
function ownerOf(
  { fleet, records }: Sweep,
  { recipe, image: given }: FleetEntry,
  image: string,
): string | undefined {
  if (given !== undefined) return undefined;
  const listed = fleet.value.recipes.find((other) => other.recipe !== recipe && other.image === image);
  if (listed !== undefined) return listed.recipe;
  for (const [name, record] of records) {
    if (name === recipe) continue;
    const subject = undamaged(record)?.subject;
    if (subject?.kind === 'image' && subject.image === image) return name;
  }
  return undefined;
}

/** A damaged record is its own recipe's error. */
function undamaged(record: () => CanonicalRecord | undefined): CanonicalRecord | undefined {
  try {
    return record();
  } catch {
    return undefined;
  }
}

function notEnrolled(reason?: string): Verdict {
  return {
    outcome: 'skipped',
    reasons: ['not-enrolled'],
    ...(reason === undefined ? {} : { message: reason }),
  };
}

/** What the fleet says about tags for all its recipes. */
function patternOf({ value }: FleetFile): string {
  const { releases } = value.defaults;
  const tags = typeof releases === 'object' && releases !== null && 'tags' in releases ? releases.tags : '*';
  return typeof tags === 'string' ? tags : '*';
}

/** The newest release by history and configuration, if a release run of it has anything to do. */
async function newest(
  tools: RecipeTools,
  {
    canonical,
    known,
    owned,
  }: { canonical: Canonical | undefined; known: Known; owned: (image: string) => string | undefined },
): Promise<Release | Verdict> {
  try {
    const config = (await tools.recipeFile()).value;
    if (!config.enrolled) return notEnrolled();
    const owner = config.image === undefined ? undefined : owned(config.image);
    if (owner !== undefined) {
      const message = `Its own configuration names the image of ${owner}.`;
      return { outcome: 'error', reasons: ['recipe-owner-mismatch'], message };
    }
    const { tags, pattern } = await tools.upgradeFacts();
    const list = listReleases(tags, parsePattern(pattern), canonical === undefined ? [] : [canonical.tag]);
    const release = latestStable(list) ?? list.releases[0];
    if (release === undefined) return { outcome: 'skipped', reasons: ['never-released'] };
    known.latest = release.version.raw;
    const target = { version: release.version.raw, tag: release.tag, commit: release.commit };
    const skip = triage({ list, target, canonical });
    return skip === undefined ? release : { outcome: 'skipped', reasons: [skip.reason] };
  } finally {
    await tools.close();
  }
}
