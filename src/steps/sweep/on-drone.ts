import type { DroneBuild } from '../../forge/drone-server.ts';
import { Failure } from '../../outcome.ts';
import { endInLedger } from '../../rules/sweep/ledger-end.ts';
import { timeGuard } from './guards.ts';
import type { Due, Sweep } from './look.ts';
import { eachDue } from './run.ts';
import type { Verdict } from './verdict.ts';

const LOOK_MS = 10_000;

/**
 * Starts one build of the fleet's own repository for each recipe that is due, a bounded number at once, and waits for
 * each. What a build came to is what the ledger says afterwards: its status may be anybody's.
 */
export async function runOnDrone(sweep: Sweep, due: readonly Due[]): Promise<void> {
  const { settings, event, tools, log, signal, now } = sweep.input;
  const { slug, defaultBranch } = event.repository;
  const branch = settings.releaseBranch ?? defaultBranch;
  if (slug === undefined || branch === undefined) {
    throw new Failure('setting-missing', "The fleet's repository and its branch are not known.", {
      remedy: 'Set `release-branch`, and run where the CI names the repository.',
    });
  }
  const server = await tools.droneServer();
  await eachDue(sweep, due, timeGuard(sweep.input), async ({ entry, release }): Promise<Verdict> => {
    const since = now();
    const parameters = { KNOWNGOOD_RECIPE: entry.recipe, KNOWNGOOD_CANDIDATE: release.commit };
    let build: DroneBuild | undefined = await server.start({ slug, branch, parameters });
    const { number, url } = build;
    log.info(`${entry.recipe}: Drone runs it as build ${number}: ${url}`);
    while (build !== undefined && !build.ended) {
      await tools.clock.sleep(LOOK_MS, signal);
      build = await server.build(slug, number);
    }
    const view = await sweep.ledger.read(entry.recipe);
    const found = endInLedger({ record: view.record(), runs: view.runs(), commit: release.commit, since });
    if (found === undefined) {
      const status = build?.status ?? 'gone';
      return {
        outcome: 'error',
        reasons: ['leg-failed'],
        message: `Build ${number} ended as ${status}: ${url}`,
      };
    }
    return { ...found, ...(found.outcome === 'promoted' ? { new: release.version.raw } : {}) };
  });
}
