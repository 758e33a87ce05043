import type { Node } from 'yaml';
import type { Collected } from './collect.ts';
import { helmPins } from './helm.ts';
import type { YamlTree } from './yaml-tree.ts';

const CONTAINERS: ReadonlySet<string> = new Set(['containers', 'initContainers', 'ephemeralContainers']);

/**
 * The images of a Kubernetes object: wherever a list of containers stands, so that custom resources with a pod in
 * them are read too. Of a Helm release the values, of a kustomization its `images`.
 */
export function kubernetesPins(tree: YamlTree, root: Node, out: Collected): void {
  if (tree.text(tree.get(root, 'kind'))?.text === 'HelmRelease') {
    const values = tree.get(root, 'spec', 'values');
    if (values !== undefined) helmPins(tree, values, undefined, out);
  }
  kustomizedPins(tree, root, out);
  const open: Node[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const { key, value } of tree.entries(node)) {
      if (value === undefined) continue;
      if (CONTAINERS.has(key)) for (const item of tree.items(value)) container(tree, item, out);
      // Image volumes (`volumes[].image.reference`).
      if (key === 'image' && tree.isMap(value)) {
        out.reference('kubernetes', tree.text(tree.get(value, 'reference')));
      }
      // A step of an Argo workflow has one container.
      if (key === 'container' && tree.isMap(value)) container(tree, value, out);
      if (tree.isMap(value)) open.push(value);
      open.push(...tree.items(value).filter((item) => tree.isMap(item)));
    }
    if (tree.isList(node)) open.push(...tree.items(node));
  }
}

function container(tree: YamlTree, item: Node, out: Collected): void {
  const image = tree.get(item, 'image');
  if (image === undefined) return;
  const text = tree.text(image);
  // `image: {{ .Values.image }}` without quotes is a map to YAML.
  if (text === undefined) out.cannotRead({ at: tree.placeAt(image), why: 'it is made by a template' });
  else out.reference('kubernetes', text);
}

/** `images: [{ name, newName, newTag, digest }]` of a kustomization. */
function kustomizedPins(tree: YamlTree, root: Node, out: Collected): void {
  const kind = tree.text(tree.get(root, 'kind'))?.text;
  if (kind !== undefined && kind !== 'Kustomization') return;
  for (const item of tree.items(tree.get(root, 'images'))) {
    const name = tree.text(tree.get(item, 'newName')) ?? tree.text(tree.get(item, 'name'));
    const tag = tree.text(tree.get(item, 'newTag'));
    const digest = tree.text(tree.get(item, 'digest'));
    if (name === undefined) continue;
    if (digest !== undefined) out.assembled('kubernetes', digest, (text) => `${name.text}@${text}`);
    else if (tag !== undefined) out.assembled('kubernetes', tag, (text) => `${name.text}:${text}`);
  }
}
