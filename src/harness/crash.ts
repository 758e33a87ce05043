import type { ServiceState } from './containers.ts';

export interface Crash {
  readonly state: ServiceState;
  readonly why: string;
}

/** Start times of containers as they were first seen; a later one is a restart that the engine does not count. */
export type Seen = Map<string, string>;

/**
 * The first container that is not as it should be: the target that ended, whatever its exit code; another service
 * that ended with a failure; anything that was restarted. A service beside the target that ended with 0 has done
 * its work (a migration). Notes what it sees.
 */
export function crashIn(states: readonly ServiceState[], target: string, seen: Seen): Crash | undefined {
  for (const state of states) {
    if (state.replaced === true) continue;
    const why = whyCrashed(state, target, seen);
    if (why !== undefined) return { state, why };
    if (started(state)) seen.set(state.id, state.startedAt);
  }
  return undefined;
}

function whyCrashed(state: ServiceState, target: string, seen: Seen): string | undefined {
  const name = `\`${state.service}\``;
  if (state.error !== undefined) return `${name} could not be started: ${state.error}`;
  if (state.restarts > 0 || state.status === 'restarting') {
    // Where it runs again the engine has forgotten how it had ended.
    return `${name} was restarted${state.exitCode === 0 ? '' : ` (exit code ${state.exitCode})`}.`;
  }
  if (state.status === 'exited' || state.status === 'dead') {
    if (state.outOfMemory) return `${name} was killed: out of memory.`;
    if (state.service === target || state.exitCode !== 0)
      return `${name} ended with exit code ${state.exitCode}.`;
    return undefined;
  }
  const before = seen.get(state.id);
  return before !== undefined && before !== state.startedAt ? `${name} was restarted.` : undefined;
}

/** The engine's zero time stands for "never". */
function started(state: ServiceState): boolean {
  return state.startedAt !== '' && !state.startedAt.startsWith('0001-');
}
