import { type Intent, leaseState, readIntent } from './intent.ts';
import type { RecipeView } from './ledger.ts';
import { parseLedgerJson, type RecipeFiles, revisionOf } from './recipe-files.ts';
import { readRuns } from './runs.ts';
import { type Confirmed, confirm } from './trail.ts';

/** The files of one recipe, read on demand and each at most once. */
export function viewOf(recipe: string, files: RecipeFiles): RecipeView {
  const confirmed = once((): Confirmed => confirm(recipe, files));
  const runs = once(() => readRuns(recipe, files['runs.ndjson'] ?? ''));
  const intent = once((): Intent | undefined =>
    files['intent.json'] === undefined ? undefined : readIntent(recipe, files['intent.json']),
  );
  return {
    recipe,
    revision: revisionOf(files),
    record: () => confirmed().record,
    trail: () => confirmed().trail,
    runs,
    intent,
    lease(now) {
      const current = intent();
      return current === undefined ? 'none' : leaseState(current, now);
    },
    baseline: () =>
      files['drift.json'] === undefined
        ? undefined
        : parseLedgerJson(files['drift.json'], `${recipe}/drift.json`),
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
