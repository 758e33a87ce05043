import type { Node } from 'yaml';
import type { Collected } from './collect.ts';
import type { Variable } from './variables.ts';
import type { YamlTree } from './yaml-tree.ts';

/** The images of a compose file's services, variables filled in from the env file beside it. */
export function composePins(
  tree: YamlTree,
  root: Node,
  variables: readonly Variable[],
  out: Collected,
): void {
  for (const { value } of tree.entries(tree.get(root, 'services'))) {
    const built = tree.get(value, 'build') !== undefined ? ({ built: true } as const) : {};
    out.reference('compose', tree.text(tree.get(value, 'image')), { ...built, variables });
  }
}
