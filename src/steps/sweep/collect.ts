import { posix } from 'node:path';
import { type Leg, readLeg } from '../../rules/sweep/leg-result.ts';
import { factsOfEnd } from '../../rules/sweep/result.ts';
import type { FleetEntry } from '../../settings/fleet-file.ts';
import { lookAtAll, type Sweep, tellResult } from './look.ts';
import { type Known, resultFrom, type Verdict, verdictOfFailure } from './verdict.ts';

/**
 * Joins the results of legs that ran on other machines. A leg is believed only for the recipe whose folder it lies
 * in, and what it promoted is what the ledger has. Recipes without a leg are looked at: most of them had nothing to
 * run, and one that had lost its leg on the way.
 */
export async function collectAll(
  sweep: Sweep,
  folder: string,
  entries: readonly FleetEntry[],
): Promise<void> {
  const without: FleetEntry[] = [];
  for (const entry of entries) {
    const startedAt = sweep.input.now();
    const known: Known = { old: null, latest: null, mirror: null };
    try {
      const verdict = await fromLeg(sweep, folder, entry, known);
      if (verdict === undefined) without.push(entry);
      else
        tellResult(sweep, {
          ...resultFrom(sweep.input, entry, startedAt, known, verdict),
          ...timesOf(verdict),
        });
    } catch (error) {
      tellResult(sweep, resultFrom(sweep.input, entry, startedAt, known, verdictOfFailure(error)));
    }
  }
  for (const { entry, known, attempts } of await lookAtAll(sweep, without)) {
    const verdict: Verdict = { outcome: 'error', reasons: ['leg-missing'], attempts };
    tellResult(sweep, resultFrom(sweep.input, entry, sweep.input.now(), known, verdict));
  }
}

/** What the leg of a recipe came to; `undefined` where it has none. */
async function fromLeg(
  { input, ledger }: Sweep,
  folder: string,
  { recipe }: FleetEntry,
  known: Known,
): Promise<Verdict | undefined> {
  // As an artifact of its own it lies in a folder of the artifact's name.
  const read = (name: string) => input.tools.readFile(posix.join(folder, name, 'result.json'));
  const text = (await read(`leg-${recipe}`)) ?? (await read(recipe));
  if (text === undefined) return undefined;
  const view = await ledger.read(recipe);
  const record = view.record();
  known.old = record?.version ?? null;
  const leg = readLeg(text);
  if (leg === undefined || leg.recipe !== recipe) return untrusted(leg);
  known.latest = leg.version ?? null;
  const runs = view.runs();
  const facts = factsOfEnd(leg.end);
  const verdict: Verdict = {
    ...facts,
    attempts: runs.filter(({ commit, verdict: told }) => commit === leg.commit && told !== 'inconclusive')
      .length,
    startedAt: leg.startedAt,
    finishedAt: leg.finishedAt,
    run: leg.run,
  };
  if (facts.outcome !== 'promoted') return verdict;
  if (record === undefined || record.commit !== leg.commit || record.version !== leg.version) {
    return untrusted(leg, 'It says that it promoted what the ledger does not have as canonical.');
  }
  known.old = record.previous?.version ?? null;
  return { ...verdict, new: record.version };
}

function untrusted(leg: Leg | undefined, message?: string): Verdict {
  const why = leg === undefined ? 'Its file is no result.' : 'Its file is the result of another recipe.';
  return { outcome: 'error', reasons: ['leg-untrusted'], message: message ?? why };
}

/** A leg has its own times. */
function timesOf({ startedAt, finishedAt, run }: Verdict): Partial<Verdict> {
  return {
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(run === undefined ? {} : { run }),
  };
}
