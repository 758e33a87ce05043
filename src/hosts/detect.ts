import type { HostName } from './host.ts';

/** The process's environment, read once by the entry. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Which host this is. Never by another `CI_*` variable: Drone and others set those of their peers. */
export function detectHost(env: Environment): HostName {
  if (env.GITHUB_ACTIONS === 'true') return 'github';
  if (env.CI === 'woodpecker') return 'woodpecker';
  if (env.DRONE === 'true') return 'drone';
  return 'terminal';
}
