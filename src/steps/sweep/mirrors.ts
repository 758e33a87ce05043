import { Failure, finding } from '../../outcome.ts';
import type { FleetEntry } from '../../settings/fleet-file.ts';
import type { FreeStepInput } from '../step.ts';
import { eachOf } from './each.ts';
import type { Verdict } from './verdict.ts';

/** Mirrors that are brought up to date side by side. */
const AT_ONCE = 8;

/** Tags of one mirror that are told by name. */
const MOST_TOLD = 10;

/** How a mirror is now: `fresh`, or why it could not be made so. */
export type MirrorState = 'fresh' | Verdict;

/**
 * Brings every mirror of the fleet up to date before anybody asks what is new: a job of its own, with a token of its
 * own. One that could not be is stale, which is not "no new version".
 */
export async function bringMirrorsUpToDate(
  input: FreeStepInput,
  entries: readonly FleetEntry[],
): Promise<ReadonlyMap<string, MirrorState>> {
  const states = new Map<string, MirrorState>();
  const mirrors = entries.filter((entry) => entry.enrolled && entry['mirror-of'] !== undefined);
  await eachOf(mirrors, AT_ONCE, async (entry) => {
    states.set(entry.recipe, await stateOf(input, entry, entry['mirror-of']!));
  });
  return states;
}

async function stateOf(
  { tools, log }: FreeStepInput,
  { recipe, repository }: FleetEntry,
  upstream: string,
): Promise<MirrorState> {
  try {
    const { moved, removed, added, branchMoved } = await tools.mirror(upstream, repository);
    if (added.length > 0 || branchMoved) {
      const tags = added.length === 0 ? '' : `, ${added.length} new ${added.length === 1 ? 'tag' : 'tags'}`;
      log.info(`${recipe}: the mirror is up to date again${tags}.`);
    }
    const gone = [...moved, ...removed];
    for (const tag of gone.slice(0, MOST_TOLD)) {
      const what = moved.includes(tag) ? 'moved' : 'removed';
      log.finding(finding('mirror-tag-moved', 'warning', `${recipe}: upstream ${what} its tag ${tag}.`));
    }
    if (gone.length > MOST_TOLD) log.info(`${recipe}: upstream moved or removed ${gone.length} tags in all.`);
    return 'fresh';
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
    return { outcome: 'error', reasons: ['mirror-stale', error.code], message: error.message };
  }
}
