import type { Node } from 'yaml';
import type { Collected } from './collect.ts';
import type { YamlTree } from './yaml-tree.ts';

/**
 * The images of a Drone or Woodpecker pipeline: of its steps and services, which are lists or maps, and of its clone
 * step; `pipeline` is how old versions of both call the steps.
 */
export function pipelinePins(kind: 'drone' | 'woodpecker', tree: YamlTree, root: Node, out: Collected): void {
  for (const key of ['clone', 'steps', 'services', 'pipeline']) {
    const part = tree.get(root, key);
    const things = tree.isList(part) ? tree.items(part) : tree.entries(part).map(({ value }) => value);
    for (const thing of things) out.reference(kind, tree.text(tree.get(thing, 'image')));
  }
}
