import type { RunContext } from '../dossier/schema.ts';
import { type Facts, type PipelineRun, present, repositoryPage, required, timeOf } from './pipeline-run.ts';

/** Documented in docs/build-type/drone-v1.md, field by field. */
export const DRONE_BUILD_TYPE = 'https://knowngood.dev/build-type/drone-v1';

/**
 * A stage of a Drone build. The builder's id carries the run context, because SLSA wants one id per level of
 * trust: a key that a policy pairs with `#release` says nothing when it signs what a pull request built.
 */
export function droneRun(facts: Facts, context: RunContext, version: string): PipelineRun {
  const repository = repositoryPage(required(facts, 'DRONE_REPO_LINK'));
  const ref = required(facts, 'DRONE_COMMIT_REF');
  const startedOn = timeOf(facts.DRONE_STAGE_STARTED);
  return {
    buildType: DRONE_BUILD_TYPE,
    externalParameters: {
      pipeline: { repository, ref, ...present({ name: facts.DRONE_STAGE_NAME }) },
      event: required(facts, 'DRONE_BUILD_EVENT'),
      ...present({ deployTo: facts.DRONE_DEPLOY_TO, parent: parentOf(facts.DRONE_BUILD_PARENT) }),
    },
    internalParameters: {
      drone: present({
        build_number: facts.DRONE_BUILD_NUMBER,
        stage_number: facts.DRONE_STAGE_NUMBER,
        step_name: facts.DRONE_STEP_NAME,
        runner: facts.DRONE_STAGE_MACHINE,
        trigger: facts.DRONE_BUILD_TRIGGER,
      }),
    },
    source: { repository, ref, commit: required(facts, 'DRONE_COMMIT_SHA') },
    builder: {
      id: `${facts.DRONE_SYSTEM_PROTO ?? 'https'}://${required(facts, 'DRONE_SYSTEM_HOST')}/#${context}`,
      version: present({ drone: facts.DRONE_SYSTEM_VERSION, knowngood: version }),
    },
    metadata: {
      invocationId: [
        required(facts, 'DRONE_BUILD_LINK'),
        ...Object.values(present({ stage: facts.DRONE_STAGE_NUMBER, step: facts.DRONE_STEP_NUMBER })),
      ].join('/'),
      ...(startedOn === undefined ? {} : { startedOn }),
    },
  };
}

/** Drone says `0` where a build has no parent. */
function parentOf(number: string | undefined): string | undefined {
  return number === '0' ? undefined : number;
}
