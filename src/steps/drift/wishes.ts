import { Failure } from '../../outcome.ts';
import type { ReasonCode } from '../../reasons.ts';
import {
  type CheckName,
  checkNames,
  contradictions,
  driftCodes,
  isCheckName,
} from '../../rules/drift/checks.ts';
import type { FreeStepInput } from '../step.ts';

/** What somebody asked for; checked before anything is looked up. */
export interface Asked {
  readonly checks: readonly CheckName[];
  readonly failOn: readonly ReasonCode[];
  /** A pull request, or another candidate that nobody reviewed. */
  readonly untrusted: boolean;
  /** All recipes of the fleet. */
  readonly fleet: boolean;
}

/** Fails with `setting-invalid` for what is not known. */
export function wishes({ settings, event, log }: FreeStepInput): Asked {
  const wrong = (setting: string, value: string, known: readonly string[]): Failure =>
    new Failure('setting-invalid', `\`${setting}\` names ${JSON.stringify(value)}, which is not one.`, {
      remedy: `Use ${known.join(', ')}.`,
    });
  const failOn = settings.failOn.map((text) => {
    const code = driftCodes.find((known) => known === text);
    if (code === undefined) throw wrong('fail-on', text, driftCodes);
    return code;
  });
  const named = settings.checks.map((name) => {
    if (!isCheckName(name)) throw wrong('checks', name, checkNames);
    return name;
  });
  const untrusted =
    event.pullRequest !== undefined || settings.pullRequest !== undefined || settings.candidate !== undefined;
  if (untrusted && named.length === 0) {
    log.info(
      'A pull request can change what the tree says, and nothing else: `version` and `pins` are checked.',
    );
  }
  // The fleet file of a pull request is anybody's, and every address in it would be asked.
  if (untrusted && settings.fleet !== undefined) log.info('The fleet is not looked at for a pull request.');
  // What runs on the engine of a CI job is the job itself: only who asks for it is told.
  const usual: readonly CheckName[] = untrusted
    ? ['version', 'pins']
    : checkNames.filter((name) => name !== 'running');
  return {
    checks: named.length > 0 ? checkNames.filter((name) => named.includes(name)) : usual,
    failOn: settings.given.has('fail-on') ? failOn : contradictions,
    untrusted,
    fleet: settings.fleet !== undefined && !untrusted,
  };
}
