import { join, relative } from 'node:path';
import type { Ledger } from '../ledger/ledger.ts';
import { Failure } from '../outcome.ts';
import { resultFinding, shownAddress, sweepSummary } from '../report/sweep.ts';
import {
  countResults,
  inChunks,
  type SweepResult,
  sweepOutcomes,
  unaccounted,
} from '../rules/sweep/result.ts';
import type { FleetEntry } from '../settings/fleet-file.ts';
import type { FreeStep, FreeStepInput, StepResult } from './step.ts';
import { boardPath, writeBoard } from './sweep/board.ts';
import { collectAll } from './sweep/collect.ts';
import { type Due, lookAtAll, recordsIn, type Sweep } from './sweep/look.ts';
import { runOnDrone } from './sweep/on-drone.ts';
import { openResults } from './sweep/results.ts';
import { runAll } from './sweep/run.ts';

/** Jobs that GitHub starts of one matrix. */
const MATRIX_SIZE = 256;

/** Looks at every recipe of the fleet and runs the line `release` over each that has a new release. */
export const step: FreeStep = {
  name: 'sweep',
  about: 'project',
  async run(input) {
    const { settings, tools } = input;
    const began = input.now();
    // What can be wrong is asked for before the hours of a sweep, not after them.
    boardPath(input);
    const fleet = await tools.fleet();
    const { recipes } = fleet.value;
    if (recipes.length === 0) throw new Failure('fleet-empty', `${fleet.name} lists no recipe.`);
    const ledger = await ledgerOf(input);
    const file = join(input.out, 'results.ndjson');
    const results = await openResults(file, input, recipes);
    const sweep: Sweep = { input, began, fleet, ledger, records: await recordsIn(ledger), results };
    const rest = recipes.filter(({ recipe }) => !results.all.some((result) => result.recipe === recipe));
    if (settings.collect !== undefined) {
      await collectAll(sweep, settings.collect, rest);
    } else {
      const due = await lookAtAll(sweep, rest);
      if (settings.planOnly) {
        results.end();
        return planned(sweep, due);
      }
      await (settings.droneServer === undefined ? runAll : runOnDrone)(sweep, due);
    }
    const sorted = accounted(recipes, results.all);
    const board = await writeBoard(sweep, sorted);
    results.end();
    return conclude(sorted, { results: relative(input.workspace, file), board });
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
    repository: shownAddress(entry.repository),
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

function conclude(
  results: readonly SweepResult[],
  paths: { readonly results: string; readonly board: string | undefined },
): StepResult {
  const counts = countResults(results);
  const ok = counts.error === 0;
  return {
    outcome: ok ? 'done' : 'error',
    reasons: [ok ? 'swept' : 'sweep-errors'],
    outputs: {
      ...paths,
      ...Object.fromEntries(
        sweepOutcomes.map((name) => [name === 'error' ? 'errors' : name, String(counts[name])]),
      ),
    },
    findings: results.filter(({ outcome }) => outcome === 'error').map(resultFinding),
    facts: sweepOutcomes.map((name) => [name, String(counts[name])] as const),
    summary: sweepSummary(results, counts),
  };
}
