import { githubDouble, TOKEN } from '../integration/forge/github-double.ts';
import { commentPayload } from '../integration/forge/payloads.ts';
import { NAME, OWNER, robin, World } from '../integration/forge/world.ts';
import type { WorkflowRun } from './act.ts';
import { front } from './front.ts';
import { type Event, project } from './github-project.ts';

/** A pull request of the project's own, its comment, and GitHub's API as its description has it. */
export async function commented(text: string) {
  const made = await project({ slug: `${OWNER}/${NAME}`, token: TOKEN });
  await made.repository.branch('topic');
  const head = await made.repository.commit('change', { 'service/more': 'x' });
  await made.repository.git('push', '-q', made.remote, `${head}:refs/pull/12/head`);
  await made.repository.git('checkout', '-q', 'main');
  const world = new World();
  world.pull({ number: 12, head });
  const comment = world.comment(12, robin, text);
  const api = await githubDouble(world);
  const forge = await front(made.server, api.url);
  const payload = commentPayload({ id: comment.id, issue: 12, body: text });
  const event: Event = { event: 'issue_comment', payload, ref: 'refs/heads/main' };
  const more: Partial<WorkflowRun> = {
    repository: `${OWNER}/${NAME}`,
    secrets: { GITHUB_TOKEN: TOKEN },
    server: forge.url,
  };
  const end = async (): Promise<void> => {
    await forge.stop();
    await api.stop();
    await made.stop();
  };
  return { made, head, world, api, event, more, end };
}
