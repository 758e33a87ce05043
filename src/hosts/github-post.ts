import { appendFileSync } from 'node:fs';
import type { Environment } from './detect.ts';

/** Marks the state so that the action's `post` run of the same entrypoint knows that it is one. */
export function markPost(env: Environment): void {
  if (env.GITHUB_STATE) appendFileSync(env.GITHUB_STATE, 'knowngood-post=true\n');
}

export function isPost(env: Environment): boolean {
  return env['STATE_knowngood-post'] === 'true';
}
