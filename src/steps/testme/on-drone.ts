import type { Forge } from '../../forge/forge.ts';
import { Failure } from '../../outcome.ts';
import type { CommentCommand } from '../../rules/comment.ts';
import type { FreeStepInput } from '../step.ts';

/** What is started on Drone: one commit of one pull request. */
export interface DroneRun {
  readonly commit: string;
  readonly pullRequest: number;
  readonly command: CommentCommand;
}

/** Of pages that statuses link to, oldest first: the place of the last one whose build has ended, or -1. */
export async function lastEnded(
  { event, tools }: FreeStepInput,
  pages: readonly (string | undefined)[],
): Promise<number> {
  const { slug } = event.repository;
  if (slug === undefined) return -1;
  const server = await tools.droneServer();
  const numbers = pages.map((page) => server.numberOf(slug, page));
  const place = numbers.findLastIndex((found) => found !== undefined);
  const number = numbers[place];
  if (number === undefined) return -1;
  const build = await server.build(slug, number);
  return build === undefined || build.ended ? place : -1;
}

/**
 * Starts the run as a build of the release branch, and stops those of older commits of the same pull request: their
 * answers would be about what nobody looks at any more.
 */
export async function startOnDrone(input: FreeStepInput, forge: Forge, run: DroneRun): Promise<void> {
  const { settings, event, tools, log } = input;
  const { slug } = event.repository;
  if (slug === undefined) {
    throw new Failure('setting-missing', 'Which repository Drone should build is not known.', {
      remedy: 'Run where the CI names the repository.',
    });
  }
  // The configuration may name another branch than the forge's default one.
  const branch = settings.releaseBranch ?? (await tools.releaseBranch()).name;
  const server = await tools.droneServer();
  const build = await server.start({ slug, branch, parameters: parametersOf(run) });
  log.info(`Drone runs it as build ${build.number}: ${build.url}`);
  await forge.setStatus(run.commit, {
    state: 'pending',
    context: settings.contextName,
    description: `Drone build ${build.number}`,
    targetUrl: build.url,
  });
  await stopOlder(input, forge, run, slug, build.number);
}

function parametersOf({ commit, pullRequest, command }: DroneRun): Record<string, string> {
  const words = command.kind === 'run' ? command.arguments : {};
  const given = Object.entries(words).map(([name, value]) => [
    `KNOWNGOOD_ARG_${name.toUpperCase().replaceAll('-', '_')}`,
    value,
  ]);
  return {
    ...Object.fromEntries(given),
    KNOWNGOOD_CANDIDATE: commit,
    KNOWNGOOD_PULL_REQUEST: String(pullRequest),
  };
}

/** Stopping needs more rights than starting. What cannot be stopped ends by itself, and its answer is marked stale. */
async function stopOlder(
  { settings, tools, log }: FreeStepInput,
  forge: Forge,
  run: DroneRun,
  slug: string,
  started: number,
): Promise<void> {
  const server = await tools.droneServer();
  try {
    for (const build of await server.builds(slug)) {
      const { KNOWNGOOD_PULL_REQUEST: pullRequest, KNOWNGOOD_CANDIDATE: commit } = build.parameters;
      const older = build.number < started && !build.ended && pullRequest === String(run.pullRequest);
      if (!older || commit === undefined || commit === run.commit || !/^[0-9a-f]{40}$/.test(commit)) continue;
      await server.stop(slug, build.number);
      log.info(`Build ${build.number} of the older commit ${commit} was stopped.`);
      await forge.setStatus(commit, {
        state: 'error',
        context: settings.contextName,
        description: `Superseded by ${run.commit.slice(0, 12)}`,
        targetUrl: build.url,
      });
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.info(`Older builds of this pull request could not be stopped: ${error.message}`);
  }
}
