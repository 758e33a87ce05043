import { Failure } from '../outcome.ts';
import { code } from '../report/markdown.ts';
import { writableLedger } from './promotion/look-tools.ts';
import { recipeOf } from './promotion/recipe-of.ts';
import type { FreeStep } from './step.ts';

/** Sets a hold on a version, or lifts one, by a record of its own. No tag moves. */
export const step: FreeStep = {
  name: 'hold',
  about: 'project',
  async run(input) {
    const { settings, tools, event, log } = input;
    const { why, version, lift } = settings;
    if (why === undefined) {
      throw new Failure('setting-missing', 'A hold says why, and so does lifting it: `why` is not set.', {
        remedy: 'Set `why` to what people who read the record should know.',
      });
    }
    const { changeHold } = await tools.promotion();
    const ledger = await writableLedger(input);
    const { answer, canonical } = await changeHold(
      {
        recipe: await recipeOf(input),
        version,
        why,
        lift,
        by: event.actor ?? 'unknown',
        dryRun: settings.dryRun,
      },
      { ledger, waiting: tools.clock, write: (_name, act) => act() },
    );
    const bad = canonical.hold?.bad ?? [];
    const held = bad.length === 0 ? 'nothing' : bad.join(', ');
    if (settings.dryRun) log.info(`Held now, and left so: ${held}. The answer would be ${answer}.`);
    else log.info(`Held: ${held}.`);
    const skipped = settings.dryRun || answer === 'hold-absent';
    return {
      outcome: skipped ? 'skipped' : 'done',
      reasons: [settings.dryRun ? 'dry-run' : answer],
      outputs: { held: String(bad.length > 0) },
      summary: `Canonical is ${code(canonical.version)}. Held: ${bad.length === 0 ? 'nothing' : bad.map(code).join(', ')}.`,
      facts: [['Held', held]],
    };
  },
};
