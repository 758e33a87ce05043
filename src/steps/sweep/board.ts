import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileInside } from '../../dossier/file-inside.ts';
import { writeWhole } from '../../dossier/write-whole.ts';
import type { RecipeView } from '../../ledger/ledger.ts';
import { type BoardRow, boardPage } from '../../report/board/page.ts';
import { shownAddress, whyOf } from '../../report/sweep.ts';
import type { SweepResult } from '../../rules/sweep/result.ts';
import type { FreeStepInput } from '../step.ts';
import type { Sweep } from './look.ts';

/** Finished tests of a recipe that the board shows. */
const RUNS_SHOWN = 5;

/** Writes the board where the setting says, if it does; answers its path. */
export async function writeBoard(
  { input, fleet, ledger }: Sweep,
  results: readonly SweepResult[],
): Promise<string | undefined> {
  const { settings, now } = input;
  const path = boardPath(input);
  if (path === undefined) return undefined;
  // Read again: what was promoted a moment ago is on the board.
  const views = await ledger.all();
  const repositories = new Map(fleet.value.recipes.map(({ recipe, repository }) => [recipe, repository]));
  const rows = results.map((result) =>
    rowOf(result, repositories.get(result.recipe) ?? '', views.get(result.recipe)),
  );
  const page = boardPage({ fleet: fleet.name, at: now().toISOString(), rows });
  mkdirSync(dirname(path), { recursive: true });
  writeWhole(path, page);
  return settings.board;
}

/** Where the board goes, if it is asked for. Fails with `path-outside`. */
export function boardPath({
  settings,
  workspace,
}: Pick<FreeStepInput, 'settings' | 'workspace'>): string | undefined {
  return settings.board === undefined ? undefined : fileInside(workspace, settings.board, 'board');
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
