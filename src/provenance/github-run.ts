import { Failure } from '../outcome.ts';
import { type Facts, type PipelineRun, present, required } from './pipeline-run.ts';

export const GITHUB_BUILD_TYPE = 'https://actions.github.io/buildtypes/workflow/v1';

/**
 * A run of GitHub Actions (and of what speaks its language), in exactly the shape that GitHub's own attestations
 * have, so that one consumer's rule fits both. The values are the job's variables, not OIDC claims: a statement
 * signed by a key of the job claims no more than the job could write (docs/provenance.md).
 */
export function githubRun(facts: Facts): PipelineRun {
  const server = required(facts, 'GITHUB_SERVER_URL').replace(/\/+$/, '');
  const slug = required(facts, 'GITHUB_REPOSITORY');
  const ref = required(facts, 'GITHUB_REF');
  // Gitea, Forgejo and act say only what the workflow is called; Gitea and Forgejo mean its file by that.
  const workflow =
    (facts.GITHUB_WORKFLOW_REF ?? '') === ''
      ? { slug, path: required(facts, 'GITHUB_WORKFLOW'), ref }
      : workflowOf(required(facts, 'GITHUB_WORKFLOW_REF'));
  const repository = `${server}/${slug}`;
  return {
    buildType: GITHUB_BUILD_TYPE,
    externalParameters: {
      workflow: { ref: workflow.ref, repository: `${server}/${workflow.slug}`, path: workflow.path },
    },
    internalParameters: {
      github: present({
        event_name: required(facts, 'GITHUB_EVENT_NAME'),
        repository_id: facts.GITHUB_REPOSITORY_ID,
        repository_owner_id: facts.GITHUB_REPOSITORY_OWNER_ID,
        runner_environment: facts.RUNNER_ENVIRONMENT,
      }),
    },
    source: { repository, ref, commit: required(facts, 'GITHUB_SHA') },
    builder: { id: `${server}/${workflow.slug}/${workflow.path}@${workflow.ref}` },
    metadata: {
      invocationId: `${repository}/actions/runs/${required(facts, 'GITHUB_RUN_ID')}/attempts/${facts.GITHUB_RUN_ATTEMPT ?? '1'}`,
    },
  };
}

/**
 * `owner/repo/.github/workflows/release.yml@refs/tags/1.0.0`. File names and refs may both hold `@`, so it is cut
 * before the first `@refs/` behind the file, not at an `@`.
 */
function workflowOf(text: string): { slug: string; path: string; ref: string } {
  const match = /^([^/]+\/[^/]+)\/(.+?)@(refs\/.+|[0-9a-f]{40})$/.exec(text);
  if (match === null) {
    throw new Failure('run-facts-missing', 'GITHUB_WORKFLOW_REF does not name a workflow file and its ref.');
  }
  return { slug: match[1]!, path: match[2]!, ref: match[3]! };
}
