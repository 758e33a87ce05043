import { Failure, type Finding, finding } from '../../outcome.ts';
import type { ReasonCode } from '../../reasons.ts';
import { noteFindings } from '../../report/base-notes.ts';
import { type StepBackInput, stepBack } from '../../rules/step-back.ts';
import { isOver } from '../../rules/usable.ts';
import type { RecipeFile } from '../../settings/recipe-file.ts';

const aboutEntries: ReadonlySet<ReasonCode> = new Set(['pin-redundant', 'pin-stale', 'known-broken-unused']);
const pinFailures: ReadonlySet<ReasonCode> = new Set([
  'pin-not-a-release',
  'pin-newer-than-target',
  'pin-known-broken',
]);

/**
 * The lint of knowngood.yml's pin and known-broken entries: what does nothing, with the lines to delete, and a pin
 * that step-back would refuse. For `drift` and `label`; asks nobody, changes no outcome. `asked` is what step-back
 * would be asked about the newest candidate; its context, tiers and settings do not matter here, the file's do.
 */
export function lintRules(file: RecipeFile, asked: StepBackInput): Finding[] {
  const pin = file.value['upgrade-base'];
  const question: StepBackInput = {
    ...asked,
    // A release that is already canonical would be skipped before its entries are looked at.
    context: 'change',
    upgrade: true,
    expectedNa: undefined,
    pin,
    knownBroken: file.value['known-broken'],
  };
  try {
    const notes = stepBack(question).notes.filter(({ code }) => aboutEntries.has(code));
    return noteFindings(notes, { file });
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    const rest =
      pin === undefined
        ? overEntries(file, question)
        : lintRules({ ...file, value: { ...file.value, 'upgrade-base': undefined } }, question);
    if (!pinFailures.has(cause.code)) return rest;
    const what = finding(cause.code, 'warning', cause.message, {
      at: file.at(['upgrade-base']),
      remedy: cause.remedy,
    });
    return [what, ...rest];
  }
}

/** Where step-back has no answer at all (no version, too far), expired entries are still known. */
function overEntries(file: RecipeFile, { now }: StepBackInput): Finding[] {
  const over = file.value['known-broken'].filter(({ until }) => isOver(until, now));
  return noteFindings(
    over.map(({ version }) => ({ code: 'known-broken-unused', about: version })),
    { file },
  );
}
