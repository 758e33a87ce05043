import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Ledger, RecipeView } from '../ledger/ledger.ts';
import { Failure, type Finding, finding } from '../outcome.ts';
import { code, table } from '../report/markdown.ts';
import { latestStable, listReleases, parsePattern, type Release } from '../rules/releases.ts';
import { backOff } from '../rules/sweep/back-off.ts';
import {
  countResults,
  inChunks,
  resultOf,
  type SweepResult,
  sweepOutcomes,
  unaccounted,
} from '../rules/sweep/result.ts';
import { isUnchanged } from '../rules/sweep/trigger.ts';
import { type Canonical, triage } from '../rules/triage.ts';
import type { FleetEntry, FleetFile } from '../settings/fleet-file.ts';
import type { FreeStep, FreeStepInput, StepResult } from './step.ts';

/** Jobs that GitHub starts of one matrix. */
const MATRIX_SIZE = 256;

/** Recipes whose tags are looked at side by side; requests, not runs. */
const LOOKS = 16;

/** Looks at every recipe of the fleet and runs the line `release` over each that has a new release. */
export const step: FreeStep = {
  name: 'sweep',
  about: 'project',
  async run(input) {
    const fleet = await input.tools.fleet();
    const { recipes } = fleet.value;
    if (recipes.length === 0) throw new Failure('fleet-empty', `${fleet.name} lists no recipe.`);
    const ledger = await ledgerOf(input);
    const views = await ledger.all();
    const file = join(input.out, 'results.ndjson');
    const before = earlierResults(file, input, recipes);
    const results: SweepResult[] = [...before];
    const add = (result: SweepResult): void => {
      results.push(result);
      // At once: what was done is known after a kill, too.
      appendFileSync(file, `${JSON.stringify(result)}\n`);
      input.log.info(lineOf(result));
    };
    const rest = recipes.filter(({ recipe }) => !before.some((result) => result.recipe === recipe));
    const due = await lookAtAll({ input, fleet, ledger, views }, rest, add);
    if (!input.settings.planOnly) await runAll(input, due, add);
    rmSync(markOf(file), { force: true });
    if (input.settings.planOnly) return planned(input, due, results);
    return conclude(input, recipes, results, file);
  },
};

interface Sweep {
  readonly input: FreeStepInput;
  readonly fleet: FleetFile;
  readonly ledger: Ledger;
  /** Every recipe's record, of one moment. */
  readonly views: ReadonlyMap<string, RecipeView>;
}

/** What was learnt about a recipe on the way, for its result. */
interface Known {
  /** The canonical version. */
  old: string | null;
  mirror: SweepResult['mirror'];
}

/** A recipe that has something to run. */
interface Due {
  readonly entry: FleetEntry;
  readonly release: Release;
  readonly known: Known;
  readonly attempts: number;
}

async function ledgerOf({ tools, settings }: FreeStepInput): Promise<Ledger> {
  const ledger = await tools.ledger();
  if (ledger === undefined) {
    throw new Failure('setting-missing', 'A sweep needs the ledger that says what is canonical.', {
      remedy: 'Set `ledger`, or name it in fleet.yml.',
    });
  }
  if (settings.ledgerInit) await ledger.init();
  return ledger;
}

/** How old a killed sweep may be to be gone on with: after that its answers are history. */
const RESUMABLE_MS = 24 * 3600_000;

/** The file that stands beside the results while a sweep is under way. */
const markOf = (file: string): string => `${file}.unfinished`;

/** Results that this same sweep has written before it was killed; else the file is begun anew. */
function earlierResults(
  file: string,
  { event, now }: FreeStepInput,
  listed: readonly FleetEntry[],
): SweepResult[] {
  const mark = markOf(file);
  const begun = existsSync(mark) ? readFileSync(mark, 'utf8').split(' ') : [];
  const resumes = begun[0] === event.run.id && now().getTime() - Date.parse(begun[1] ?? '') < RESUMABLE_MS;
  const kept = resumes && existsSync(file) ? readResults(file, listed) : [];
  if (!resumes) writeFileSync(mark, `${event.run.id} ${now().toISOString()}`);
  writeFileSync(file, kept.map((result) => `${JSON.stringify(result)}\n`).join(''));
  return kept;
}

function readResults(file: string, listed: readonly FleetEntry[]): SweepResult[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const results = lines.flatMap((line): SweepResult[] => {
    try {
      return [JSON.parse(line) as SweepResult];
    } catch {
      // The line that was being written.
      return [];
    }
  });
  return results.filter(({ recipe }) => listed.some((entry) => entry.recipe === recipe));
}

/** Decides for each recipe whether it runs; whatever does not has its result now. */
async function lookAtAll(
  sweep: Sweep,
  entries: readonly FleetEntry[],
  add: (result: SweepResult) => void,
): Promise<readonly Due[]> {
  const { input, views } = sweep;
  const due: Due[] = [];
  await eachOf(entries, LOOKS, async (entry) => {
    const startedAt = input.now();
    const known: Known = { old: null, mirror: null };
    try {
      const found = await look(sweep, views.get(entry.recipe), entry, known);
      if ('release' in found) due.push(found);
      else add(ended(input, entry, startedAt, { ...known, new: known.old, ...found }));
    } catch (error) {
      add(ended(input, entry, startedAt, { ...known, new: known.old, ...failed(error) }));
    }
  });
  const order = new Map(entries.map(({ recipe }, index) => [recipe, index]));
  return due.sort((a, b) => order.get(a.entry.recipe)! - order.get(b.entry.recipe)!);
}

type Verdict = Pick<SweepResult, 'outcome' | 'reasons'> & Partial<SweepResult>;

async function look(
  sweep: Sweep,
  view: RecipeView | undefined,
  entry: FleetEntry,
  known: Known,
): Promise<Due | Verdict> {
  const { fleet, ledger } = sweep;
  const { tools, now } = sweep.input;
  const record = view?.record();
  known.old = record?.version ?? null;
  if (!entry.enrolled) {
    return {
      outcome: 'skipped',
      reasons: ['not-enrolled'],
      ...(entry.reason === undefined ? {} : { message: entry.reason }),
    };
  }
  const canonical: Canonical | undefined = record && {
    version: record.version,
    tag: record.tag,
    commit: record.commit,
    hold: record.hold,
  };
  if (entry['mirror-of'] !== undefined) {
    const stale = await refresh(sweep.input, entry['mirror-of'], entry, known);
    if (stale !== undefined) return stale;
  }
  const tags = [...(await tools.remoteTags(entry.repository))].map(([name, { commit }]) => ({
    name,
    commit,
  }));
  const pattern = patternOf(fleet);
  if (entry.config === undefined && isUnchanged({ tags, pattern, canonical })) {
    return { outcome: 'skipped', reasons: ['no-new-version'] };
  }
  const release = await newest(await tools.ofRecipe(entry.recipe), canonical);
  if ('reasons' in release) return release;
  const { attempts, until } = backOff(
    (await ledger.read(entry.recipe)).runs(),
    { version: release.version.raw, commit: release.commit },
    now(),
  );
  if (until !== undefined) {
    return { outcome: 'deferred', reasons: ['backoff'], attempts, nextEligibleAt: until.toISOString() };
  }
  return { entry, release, known, attempts };
}

/** Brings a mirror up to date first. One that could not be is stale, which is not "no new version". */
async function refresh(
  { tools, log }: FreeStepInput,
  upstream: string,
  { recipe, repository }: FleetEntry,
  known: { mirror: SweepResult['mirror'] },
): Promise<Verdict | undefined> {
  try {
    const { moved, removed, added } = await tools.mirror(upstream, repository);
    known.mirror = 'fresh';
    if (added.length > 0) log.info(`${recipe}: the mirror has ${added.length} more tags.`);
    for (const tag of [...moved, ...removed].slice(0, 10)) {
      log.finding(
        finding('mirror-tag-moved', 'warning', `${recipe}: upstream moved or removed its tag ${tag}.`),
      );
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
    known.mirror = 'stale';
    return { outcome: 'error', reasons: ['mirror-stale', error.code], message: error.message };
  }
}

/** What the fleet says about tags for all its recipes. */
function patternOf({ value }: FleetFile): string {
  const { releases } = value.defaults;
  const tags = typeof releases === 'object' && releases !== null && 'tags' in releases ? releases.tags : '*';
  return typeof tags === 'string' ? tags : '*';
}

/** The newest release by history and configuration, if a release run of it has anything to do. */
async function newest(
  tools: Awaited<ReturnType<FreeStepInput['tools']['ofRecipe']>>,
  canonical: Canonical | undefined,
): Promise<Release | Verdict> {
  try {
    const config = (await tools.recipeFile()).value;
    if (!config.enrolled) return { outcome: 'skipped', reasons: ['not-enrolled'] };
    const { tags, pattern } = await tools.upgradeFacts();
    const list = listReleases(tags, parsePattern(pattern), canonical === undefined ? [] : [canonical.tag]);
    const release = latestStable(list) ?? list.releases[0];
    if (release === undefined) return { outcome: 'skipped', reasons: ['never-released'] };
    const target = { version: release.version.raw, tag: release.tag, commit: release.commit };
    const skip = triage({ list, target, canonical });
    return skip === undefined ? release : { outcome: 'skipped', reasons: [skip.reason] };
  } finally {
    await tools.close();
  }
}

async function runAll(
  input: FreeStepInput,
  due: readonly Due[],
  add: (result: SweepResult) => void,
): Promise<void> {
  const { settings, tools, now } = input;
  const started = now().getTime();
  await eachOf(due, Math.max(1, settings.concurrency), async ({ entry, release, known, attempts }) => {
    const startedAt = now();
    const own = { ...known, new: known.old, attempts };
    if (startedAt.getTime() - started > settings.timeBudget) {
      add(ended(input, entry, startedAt, { ...own, outcome: 'deferred', reasons: ['time-budget'] }));
      return;
    }
    input.log.info(`${entry.recipe}: ${release.tag} is new.`);
    try {
      const end = await tools.release(entry.recipe, release.commit);
      const outcome = resultOf(end);
      add(
        ended(input, entry, startedAt, {
          ...own,
          attempts: attempts + 1,
          outcome,
          reasons: end.reasons,
          ...(outcome === 'promoted' ? { new: release.version.raw } : {}),
          ...(outcome === 'gated' ? { gate: end.reasons } : {}),
        }),
      );
    } catch (error) {
      add(ended(input, entry, startedAt, { ...own, ...failed(error) }));
    }
  });
}

function failed(error: unknown): Verdict {
  if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
  const outcome = error.outcome === 'skipped' ? 'skipped' : 'error';
  return { outcome, reasons: [error.code], message: error.message };
}

function ended(
  { event, now }: FreeStepInput,
  { recipe }: FleetEntry,
  startedAt: Date,
  verdict: Verdict & Pick<SweepResult, 'old' | 'new'>,
): SweepResult {
  return {
    recipe,
    gate: [],
    base: null,
    attempts: 0,
    nextEligibleAt: null,
    mirror: null,
    ...verdict,
    startedAt: startedAt.toISOString(),
    finishedAt: now().toISOString(),
    run: event.run.id,
  };
}

/** Runs `act` over all items, at most `most` at once. */
async function eachOf<T>(items: readonly T[], most: number, act: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
}

function planned({ log }: FreeStepInput, due: readonly Due[], results: readonly SweepResult[]): StepResult {
  const legs = due.map(({ entry, release }) => ({
    recipe: entry.recipe,
    repository: entry.repository,
    tag: release.tag,
    commit: release.commit,
    version: release.version.raw,
  }));
  for (const { recipe, tag } of legs) log.info(`Would run ${recipe} ${tag}.`);
  const errors = results.filter(({ outcome }) => outcome === 'error');
  return {
    outcome: errors.length === 0 ? 'done' : 'error',
    reasons: [errors.length === 0 ? 'swept' : 'sweep-errors'],
    outputs: { matrix: JSON.stringify(inChunks(legs, MATRIX_SIZE).map((include) => ({ include }))) },
    findings: errors.map(findingOf),
    facts: [['To run', String(legs.length)]],
  };
}

function conclude(
  { workspace }: FreeStepInput,
  recipes: readonly FleetEntry[],
  results: readonly SweepResult[],
  file: string,
): StepResult {
  const names = recipes.map(({ recipe }) => recipe);
  const lost = unaccounted(names, results);
  if (lost.length > 0) {
    throw new Failure('sweep-incomplete', `Not exactly one result for ${lost.slice(0, 5).join(', ')}.`);
  }
  const counts = countResults(results);
  const sorted = [...results].sort((a, b) => names.indexOf(a.recipe) - names.indexOf(b.recipe));
  const ok = counts.error === 0;
  return {
    outcome: ok ? 'done' : 'error',
    reasons: [ok ? 'swept' : 'sweep-errors'],
    outputs: {
      results: relative(workspace, file),
      ...Object.fromEntries(
        sweepOutcomes.map((name) => [name === 'error' ? 'errors' : name, String(counts[name])]),
      ),
    },
    findings: sorted.filter(({ outcome }) => outcome === 'error').map(findingOf),
    facts: sweepOutcomes.map((name) => [name, String(counts[name])] as const),
    summary: table(
      ['Recipe', 'Result', 'Reason', 'Canonical', 'Next'],
      sorted.map((result) => [
        code(result.recipe),
        result.outcome,
        code(result.reasons[0] ?? ''),
        code(result.new ?? 'none'),
        result.nextEligibleAt ?? '',
      ]),
    ),
  };
}

function findingOf({ recipe, reasons, message }: SweepResult): Finding {
  return finding(reasons[0] ?? 'sweep-errors', 'error', `${recipe}: ${message ?? reasons[0] ?? 'no answer'}`);
}

function lineOf({ recipe, outcome, reasons, old, new: now }: SweepResult): string {
  const versions = old === now ? (now ?? 'nothing canonical') : `${old ?? 'nothing'} → ${now}`;
  return `${recipe}: ${outcome} ${reasons[0] ?? ''} (${versions})`;
}
