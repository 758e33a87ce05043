import { join, relative, resolve } from 'node:path';
import { writeWhole } from '../dossier/write-whole.ts';
import type { Ledger, RecipeView } from '../ledger/ledger.ts';
import { Failure } from '../outcome.ts';
import { type BoardRow, boardPage } from '../report/board/page.ts';
import { resultFinding, sweepSummary, whyOf } from '../report/sweep.ts';
import {
  countResults,
  inChunks,
  type SweepResult,
  sweepOutcomes,
  unaccounted,
} from '../rules/sweep/result.ts';
import type { FleetEntry } from '../settings/fleet-file.ts';
import type { FreeStep, FreeStepInput, StepResult } from './step.ts';
import { type Due, lookAtAll, type Sweep } from './sweep/look.ts';
import { openResults } from './sweep/results.ts';
import { runAll } from './sweep/run.ts';

/** Jobs that GitHub starts of one matrix. */
const MATRIX_SIZE = 256;

/** Finished tests of a recipe that the board shows. */
const RUNS_SHOWN = 5;

/** Looks at every recipe of the fleet and runs the line `release` over each that has a new release. */
export const step: FreeStep = {
  name: 'sweep',
  about: 'project',
  async run(input) {
    const fleet = await input.tools.fleet();
    const { recipes } = fleet.value;
    if (recipes.length === 0) throw new Failure('fleet-empty', `${fleet.name} lists no recipe.`);
    const ledger = await ledgerOf(input);
    const file = join(input.out, 'results.ndjson');
    const results = openResults(file, input, recipes);
    const sweep: Sweep = { input, fleet, ledger, views: await ledger.all(), results };
    const rest = recipes.filter(({ recipe }) => !results.all.some((result) => result.recipe === recipe));
    const due = await lookAtAll(sweep, rest);
    if (!input.settings.planOnly) await runAll(sweep, due);
    results.end();
    if (input.settings.planOnly) return planned(sweep, due);
    const sorted = accounted(recipes, results.all);
    await writeBoard(sweep, sorted);
    return conclude(sorted, relative(input.workspace, file));
  },
};

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

/** What would run, as the matrices of the jobs that run it. */
function planned({ input, results }: Sweep, due: readonly Due[]): StepResult {
  const legs = due.map(({ entry, release }) => ({
    recipe: entry.recipe,
    repository: entry.repository,
    tag: release.tag,
    commit: release.commit,
    version: release.version.raw,
  }));
  for (const { recipe, tag } of legs) input.log.info(`Would run ${recipe} ${tag}.`);
  const errors = results.all.filter(({ outcome }) => outcome === 'error');
  return {
    outcome: errors.length === 0 ? 'done' : 'error',
    reasons: [errors.length === 0 ? 'swept' : 'sweep-errors'],
    outputs: { matrix: JSON.stringify(inChunks(legs, MATRIX_SIZE).map((include) => ({ include }))) },
    findings: errors.map(resultFinding),
    facts: [['To run', String(legs.length)]],
  };
}

/** The results in the order of the fleet. A sweep that lost a recipe on the way must not be green. */
function accounted(recipes: readonly FleetEntry[], results: readonly SweepResult[]): readonly SweepResult[] {
  const names = recipes.map(({ recipe }) => recipe);
  const lost = unaccounted(names, results);
  if (lost.length > 0) {
    throw new Failure('sweep-incomplete', `Not exactly one result for ${lost.slice(0, 5).join(', ')}.`);
  }
  const place = new Map(names.map((name, index) => [name, index]));
  return [...results].sort((a, b) => place.get(a.recipe)! - place.get(b.recipe)!);
}

function conclude(results: readonly SweepResult[], file: string): StepResult {
  const counts = countResults(results);
  const ok = counts.error === 0;
  return {
    outcome: ok ? 'done' : 'error',
    reasons: [ok ? 'swept' : 'sweep-errors'],
    outputs: {
      results: file,
      ...Object.fromEntries(
        sweepOutcomes.map((name) => [name === 'error' ? 'errors' : name, String(counts[name])]),
      ),
    },
    findings: results.filter(({ outcome }) => outcome === 'error').map(resultFinding),
    facts: sweepOutcomes.map((name) => [name, String(counts[name])] as const),
    summary: sweepSummary(results, counts),
  };
}

async function writeBoard({ input, fleet, ledger }: Sweep, results: readonly SweepResult[]): Promise<void> {
  const { settings, workspace, now } = input;
  if (settings.board === undefined) return;
  // Read again: what was promoted a moment ago is on the board.
  const views = await ledger.all();
  const repositories = new Map(fleet.value.recipes.map(({ recipe, repository }) => [recipe, repository]));
  const rows = results.map((result) =>
    rowOf(result, repositories.get(result.recipe) ?? '', views.get(result.recipe)),
  );
  const page = boardPage({ fleet: fleet.name, at: now().toISOString(), rows });
  writeWhole(resolve(workspace, settings.board), page);
}

function rowOf(result: SweepResult, repository: string, view: RecipeView | undefined): BoardRow {
  return {
    repository: shownAddress(repository),
    recipe: result.recipe,
    canonical: result.new,
    latest: result.latest,
    outcome: result.outcome,
    reason: result.reasons[0] ?? '',
    why: whyOf(result),
    gate: result.gate,
    base: result.base,
    attempts: result.attempts,
    nextEligibleAt: result.nextEligibleAt,
    mirror: result.mirror,
    ...historyOf(view),
  };
}

/** A damaged record is the recipe's error already, and must not hide the others' rows. */
function historyOf(view: RecipeView | undefined): Pick<BoardRow, 'promotedAt' | 'runs'> {
  try {
    const runs = [...(view?.runs() ?? [])].reverse().slice(0, RUNS_SHOWN);
    return {
      promotedAt: view?.record()?.at ?? null,
      runs: runs.map(({ version, verdict, finishedAt }) => ({ version, verdict, finishedAt })),
    };
  } catch {
    return { promotedAt: null, runs: [] };
  }
}

/** The address without what may be a credential. */
function shownAddress(repository: string): string {
  if (!URL.canParse(repository)) return repository;
  const url = new URL(repository);
  url.username = '';
  url.password = '';
  return url.href;
}
