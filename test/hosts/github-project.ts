import { type Sandbox, sandbox } from '../../sandbox/index.ts';
import type { Files } from '../../sandbox/repositories.ts';
import { runWorkflow, type WorkflowEnd, type WorkflowRun } from './act.ts';
import { inSandbox } from './outside-world.ts';
import { type HostedProject, makeProject } from './project.ts';

const box: Sandbox = await sandbox();

let projects = 0;

/** A project of the test's own, and its image's name in the sandbox's registry. */
export async function project(
  options: { slug?: string; token?: string } = {},
): Promise<HostedProject & { image: string }> {
  const image = `${box.registry.host}/github${process.pid}/notes${++projects}`;
  const made = await makeProject({ base: await box.base('busybox'), image }, '1.0.0', options);
  return { ...made, image };
}

export type Event = Pick<WorkflowRun, 'event' | 'payload' | 'ref'>;

const repository = { id: 4711, default_branch: 'main' };

export const tagged = (version: string): Event => ({
  event: 'push',
  payload: { ref: `refs/tags/${version}`, repository },
  ref: `refs/tags/${version}`,
});

/** What has no payload of its own: a schedule, or a person who starts it by hand with inputs. */
export const onMain = (event: string, inputs: Readonly<Record<string, string>> = {}): Event => ({
  event,
  payload: { repository, inputs, schedule: '17 3 * * 1' },
  ref: 'refs/heads/main',
});

export async function run(
  made: HostedProject & { image: string },
  workflow: string,
  event: Event,
  more: Partial<WorkflowRun> = {},
): Promise<WorkflowEnd> {
  return runWorkflow(box, {
    workflow: inSandbox(workflow, { image: made.image }),
    ...event,
    sha: more.sha ?? (await made.commitOf(event.ref.replace(/^refs\/(heads|tags)\//, ''))),
    server: made.server,
    repository: 'acme/notes',
    ...more,
  });
}

/**
 * A pull request of the project's own branch, as GitHub has it: refs for its head and for the merge that would be
 * made, which is what is checked out.
 */
export async function pullRequest(
  made: HostedProject,
  number: number,
  files: Files,
): Promise<{ event: Event; sha: string; head: string }> {
  const { repository: git, remote } = made;
  await git.branch(`topic-${number}`);
  const head = await git.commit('a change', files);
  await git.git('push', '-q', remote, `${head}:refs/pull/${number}/head`);
  await git.git('checkout', '-q', 'main');
  const base = await made.commitOf('main');
  const tree = (await git.git('rev-parse', `${head}^{tree}`)).trim();
  const merge = ['commit-tree', tree, '-p', base, '-p', head, '-m', 'the merge'];
  const sha = (await git.git(...merge)).trim();
  await git.git('push', '-q', remote, `${sha}:refs/pull/${number}/merge`);
  const at = (ref: string, commit: string) => ({ ref, sha: commit, repo: { id: repository.id } });
  const pull = { number, head: at(`topic-${number}`, head), base: at('main', base) };
  const payload = { action: 'opened', number, pull_request: pull, repository };
  return { event: { event: 'pull_request', payload, ref: `refs/pull/${number}/merge` }, sha, head };
}

/** "The very first promotion needs `ledger-init: true` once." */
export const first = (workflow: string): string =>
  workflow.replace(/^( *)step: .*(release|promote)$/m, '$&\n$1ledger-init: true');
