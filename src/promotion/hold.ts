import type { CanonicalRecord } from '../ledger/record.ts';
import { Failure } from '../outcome.ts';
import { compareVersions, parseVersion } from '../rules/version.ts';
import type { PublishTools } from './publish.ts';

export interface HoldInput {
  readonly recipe: string;
  /** Version to hold or to lift; when lifting, left out: all. */
  readonly version: string | undefined;
  readonly why: string;
  readonly lift: boolean;
  readonly by: string;
  readonly dryRun: boolean;
}

export interface HoldResult {
  readonly answer: 'hold-set' | 'hold-lifted' | 'hold-absent';
  readonly canonical: CanonicalRecord;
}

const rounds = 8;

/**
 * Sets or lifts a hold by hand: a new record that differs from the canonical in its hold only, and moves no tag.
 * Fails with `canonical-missing`, and with `concurrent-promotion` while a promotion is under way or unfinished.
 */
export async function changeHold(
  input: HoldInput,
  tools: Pick<PublishTools, 'ledger' | 'waiting' | 'write'>,
): Promise<HoldResult> {
  for (let round = 0; round < rounds; round++) {
    const view = await tools.ledger.read(input.recipe);
    const current = view.record();
    if (current === undefined)
      throw new Failure('canonical-missing', `${input.recipe} has no canonical release.`);
    const at = new Date(tools.waiting.now()).toISOString();
    const hold = input.lift ? lifted(current.hold, input.version) : held(current.hold, input, at);
    if (hold === 'unchanged') return { answer: input.lift ? 'hold-absent' : 'hold-set', canonical: current };
    const answer = input.lift ? 'hold-lifted' : 'hold-set';
    const record: CanonicalRecord = {
      ...current,
      sequence: current.sequence + 1,
      previous: { version: current.version, commit: current.commit, sequence: current.sequence },
      kind: 'hold',
      why: input.why,
      hold,
      by: input.by,
      at,
    };
    if (input.dryRun) return { answer, canonical: current };
    if (view.lease(tools.waiting.now()) !== 'none') {
      throw new Failure(
        'concurrent-promotion',
        `${input.recipe} is being promoted, or a promotion of it is unfinished.`,
        {
          remedy: 'Run again when it has ended; an unfinished one is ended by the next run of `promote`.',
        },
      );
    }
    const written = await tools.write('commit hold', () =>
      tools.ledger.commit(input.recipe, record, { revision: view.revision }),
    );
    if (written === 'lost') continue;
    const after = (await tools.ledger.read(input.recipe)).record();
    return { answer, canonical: after ?? record };
  }
  throw new Failure('ledger-busy', `${input.recipe} changed ${rounds} times while it was looked at.`);
}

type Hold = CanonicalRecord['hold'];

function held(before: Hold, { version, why, by }: HoldInput, at: string): Hold | 'unchanged' {
  if (version === undefined)
    throw new Failure('setting-missing', 'Which version is to be held is not said.', {
      remedy: 'Set `version`.',
    });
  if (before?.bad.some((bad) => isSame(bad, version))) return 'unchanged';
  return { bad: [...(before?.bad ?? []), version], until: before?.until ?? 'newer', reason: why, by, at };
}

function lifted(before: Hold, version: string | undefined): Hold | 'unchanged' {
  if (before === null) return 'unchanged';
  if (version === undefined) return null;
  const left = before.bad.filter((bad) => !isSame(bad, version));
  if (left.length === before.bad.length) return 'unchanged';
  return left.length === 0 ? null : { ...before, bad: left };
}

function isSame(a: string, b: string): boolean {
  const [x, y] = [parseVersion(a), parseVersion(b)];
  return x === undefined || y === undefined ? a === b : compareVersions(x, y) === 0;
}
