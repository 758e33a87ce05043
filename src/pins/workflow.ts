import type { Node } from 'yaml';
import type { Collected } from './collect.ts';
import type { YamlTree } from './yaml-tree.ts';

const DOCKER = 'docker://';

/**
 * The images of a workflow of GitHub, Forgejo or Gitea: `container`, `services`, and steps with `uses: docker://…`;
 * of an action file its own image and steps.
 */
export function workflowPins(tree: YamlTree, root: Node, out: Collected): void {
  const step = (node: Node | undefined): void => {
    const uses = tree.text(node);
    if (uses?.text.startsWith(DOCKER) === true) out.reference('workflow', uses, { prefix: DOCKER });
  };
  const container = (node: Node | undefined): void => {
    // A container is its image, or a map with one.
    out.reference('workflow', tree.text(node) ?? tree.text(tree.get(node, 'image')));
  };
  for (const { value: job } of tree.entries(tree.get(root, 'jobs'))) {
    const image = tree.get(job, 'container');
    if (image !== undefined) container(image);
    for (const { value } of tree.entries(tree.get(job, 'services'))) container(value);
    for (const item of tree.items(tree.get(job, 'steps'))) step(tree.get(item, 'uses'));
  }
  const runs = tree.get(root, 'runs');
  step(tree.get(runs, 'image'));
  for (const item of tree.items(tree.get(runs, 'steps'))) step(tree.get(item, 'uses'));
}
