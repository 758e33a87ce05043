import type { Environment } from './detect.ts';

/**
 * The variables of each host that a provenance statement names. They are handed on by the host's own names,
 * because the statement's field-by-field documentation names them so; nothing else of the environment is.
 */
const names = {
  github: [
    'GITHUB_SERVER_URL',
    'GITHUB_REPOSITORY',
    'GITHUB_REPOSITORY_ID',
    'GITHUB_REPOSITORY_OWNER_ID',
    'GITHUB_REF',
    'GITHUB_SHA',
    'GITHUB_EVENT_NAME',
    'GITHUB_WORKFLOW_REF',
    'GITHUB_WORKFLOW',
    'GITHUB_RUN_ID',
    'GITHUB_RUN_ATTEMPT',
    'RUNNER_ENVIRONMENT',
  ],
  drone: [
    'DRONE_REPO_LINK',
    'DRONE_COMMIT_REF',
    'DRONE_COMMIT_SHA',
    'DRONE_BUILD_EVENT',
    'DRONE_BUILD_NUMBER',
    'DRONE_BUILD_LINK',
    'DRONE_BUILD_TRIGGER',
    'DRONE_BUILD_PARENT',
    'DRONE_DEPLOY_TO',
    'DRONE_STAGE_NAME',
    'DRONE_STAGE_NUMBER',
    'DRONE_STAGE_MACHINE',
    'DRONE_STAGE_STARTED',
    'DRONE_STEP_NAME',
    'DRONE_STEP_NUMBER',
    'DRONE_SYSTEM_PROTO',
    'DRONE_SYSTEM_HOST',
    'DRONE_SYSTEM_VERSION',
  ],
  woodpecker: [
    'CI_REPO_URL',
    'CI_COMMIT_REF',
    'CI_COMMIT_SHA',
    'CI_PIPELINE_EVENT',
    'CI_PIPELINE_NUMBER',
    'CI_PIPELINE_URL',
    'CI_PIPELINE_PARENT',
    'CI_PIPELINE_DEPLOY_TARGET',
    'CI_COMMIT_AUTHOR',
    'CI_WORKFLOW_NAME',
    'CI_WORKFLOW_NUMBER',
    'CI_STEP_NAME',
    'CI_STEP_NUMBER',
    'CI_STEP_STARTED',
    'CI_MACHINE',
    'CI_SYSTEM_URL',
    'CI_SYSTEM_VERSION',
  ],
} as const;

/** What of this environment a statement may name; empty values are left out. */
export function statementFacts(host: keyof typeof names, env: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(names[host].flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
