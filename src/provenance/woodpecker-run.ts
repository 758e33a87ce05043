import type { RunContext } from '../dossier/schema.ts';
import { type Facts, type PipelineRun, present, repositoryPage, required, timeOf } from './pipeline-run.ts';

/** Documented in docs/build-type/woodpecker-v1.md, field by field. */
export const WOODPECKER_BUILD_TYPE = 'https://knowngood.dev/build-type/woodpecker-v1';

/** A workflow of a Woodpecker pipeline; what is said of Drone's builder id holds here too. */
export function woodpeckerRun(facts: Facts, context: RunContext, version: string): PipelineRun {
  const repository = repositoryPage(required(facts, 'CI_REPO_URL'));
  const ref = required(facts, 'CI_COMMIT_REF');
  const startedOn = timeOf(facts.CI_STEP_STARTED);
  return {
    buildType: WOODPECKER_BUILD_TYPE,
    externalParameters: {
      pipeline: { repository, ref, ...present({ name: facts.CI_WORKFLOW_NAME }) },
      event: required(facts, 'CI_PIPELINE_EVENT'),
      ...present({ deployTo: facts.CI_PIPELINE_DEPLOY_TARGET, parent: parentOf(facts.CI_PIPELINE_PARENT) }),
    },
    internalParameters: {
      woodpecker: present({
        pipeline_number: facts.CI_PIPELINE_NUMBER,
        workflow_number: facts.CI_WORKFLOW_NUMBER,
        step_name: facts.CI_STEP_NAME,
        runner: facts.CI_MACHINE,
        trigger: facts.CI_COMMIT_AUTHOR,
      }),
    },
    source: { repository, ref, commit: required(facts, 'CI_COMMIT_SHA') },
    builder: {
      id: `${required(facts, 'CI_SYSTEM_URL').replace(/\/+$/, '')}/#${context}`,
      version: present({ woodpecker: facts.CI_SYSTEM_VERSION, knowngood: version }),
    },
    metadata: {
      invocationId: [
        required(facts, 'CI_PIPELINE_URL'),
        ...Object.values(present({ workflow: facts.CI_WORKFLOW_NUMBER, step: facts.CI_STEP_NUMBER })),
      ].join('/'),
      ...(startedOn === undefined ? {} : { startedOn }),
    },
  };
}

/** Woodpecker says `0` where a pipeline has no parent. */
function parentOf(number: string | undefined): string | undefined {
  return number === '0' ? undefined : number;
}
