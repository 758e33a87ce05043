import type { DroneBuild, DroneServer } from '../../forge/drone-server.ts';
import { Failure } from '../../outcome.ts';
import { endInLedger } from '../../rules/sweep/ledger-end.ts';
import { type Guard, timeGuard } from './guards.ts';
import type { Due, Sweep } from './look.ts';
import { eachDue } from './run.ts';
import type { Verdict } from './verdict.ts';

/** How long a build is left alone before it is looked at: at first, and at most. */
const FIRST_LOOK_MS = 1000;
const LOOK_MS = 10_000;

/**
 * Starts one build of the fleet's own repository for each recipe that is due, a bounded number at once, and waits for
 * each, until the time budget is used up. What a build came to is what the ledger says afterwards: its status may be
 * anybody's.
 */
export async function runOnDrone(sweep: Sweep, due: readonly Due[]): Promise<void> {
  const { settings, event, tools, log, now } = sweep.input;
  const { slug, defaultBranch } = event.repository;
  const branch = settings.releaseBranch ?? defaultBranch;
  if (slug === undefined || branch === undefined) {
    throw new Failure('setting-missing', "The fleet's repository and its branch are not known.", {
      remedy: 'Set `release-branch`, and run where the CI names the repository.',
    });
  }
  const server = await tools.droneServer();
  const isLate = timeGuard(sweep);
  await eachDue(sweep, due, isLate, async ({ entry, release, attempts }): Promise<Verdict> => {
    const since = now();
    const { recipe } = entry;
    const other = await underWay(server, slug, recipe);
    if (other !== undefined && other.parameters.KNOWNGOOD_CANDIDATE !== release.commit) {
      const message = `Build ${other.number} runs another commit of it: ${other.url}`;
      return { outcome: 'deferred', reasons: ['in-flight'], message, attempts };
    }
    const parameters = { KNOWNGOOD_RECIPE: recipe, KNOWNGOOD_CANDIDATE: release.commit };
    const build = other ?? (await server.start({ slug, branch, parameters }));
    const { number, url } = build;
    log.info(
      `${recipe}: Drone ${other === undefined ? 'runs' : 'already runs'} it as build ${number}: ${url}`,
    );
    const last = await whenEnded(sweep, { server, slug, isLate }, build);
    const view = await sweep.ledger.read(recipe);
    const found = endInLedger({ record: view.record(), runs: view.runs(), commit: release.commit, since });
    if (found !== undefined) {
      return { ...found, ...(found.outcome === 'promoted' ? { new: release.version.raw } : {}) };
    }
    if (last?.ended === false) {
      const message = `Build ${number} goes on (${last.status}): ${url}`;
      return { outcome: 'deferred', reasons: ['time-budget'], message, attempts };
    }
    const message =
      last === undefined
        ? `Build ${number} is gone from Drone: ${url}`
        : `Build ${number} ended as ${last.status} without a finished test: ${url}`;
    return { outcome: 'error', reasons: ['leg-failed'], message, attempts };
  });
}

/** A build of this recipe that another sweep started, or this one before it was killed. */
async function underWay(server: DroneServer, slug: string, recipe: string): Promise<DroneBuild | undefined> {
  const builds = await server.builds(slug);
  return builds.find(({ ended, parameters }) => !ended && parameters.KNOWNGOOD_RECIPE === recipe);
}

/** The build when it has ended, as it is when the time budget is used up; `undefined` where it is gone. */
async function whenEnded(
  { input }: Sweep,
  { server, slug, isLate }: { server: DroneServer; slug: string; isLate: Guard },
  started: DroneBuild,
): Promise<DroneBuild | undefined> {
  let build: DroneBuild | undefined = started;
  for (let pause = FIRST_LOOK_MS; build !== undefined && !build.ended; pause = Math.min(LOOK_MS, pause * 2)) {
    if ((await isLate()) !== undefined) return build;
    await input.tools.clock.sleep(pause, input.signal);
    build = await server.build(slug, started.number);
  }
  return build;
}
