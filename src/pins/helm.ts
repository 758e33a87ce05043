import type { Node } from 'yaml';
import type { Collected } from './collect.ts';
import { isTemplate } from './pin.ts';
import type { Text, YamlTree } from './yaml-tree.ts';

/**
 * The images of Helm values. Charts agree on no form; read are the usual ones: `image: name:tag`; a map of
 * `repository` (or `name`) with `registry`, `tag` and `digest`; `image` beside `imageTag`. A chart's own tag is empty
 * where the version of the application counts: then that is what is pinned.
 *
 * @param appVersion  `appVersion` of the chart beside, where it stands
 */
export function helmPins(tree: YamlTree, root: Node, appVersion: Text | undefined, out: Collected): void {
  const global = tree.text(tree.get(root, 'global', 'imageRegistry'))?.text;
  const open: { node: Node; key: string }[] = [{ node: root, key: '' }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { node, key } = at;
    if (tree.isList(node)) {
      for (const item of tree.items(node)) open.push({ node: item, key: '' });
      continue;
    }
    const entries = tree.entries(node);
    const text = (name: string): Text | undefined =>
      tree.text(entries.find((entry) => entry.key === name)?.value);
    const repository = text('repository') ?? (/image$/i.test(key) ? text('name') : undefined);
    const tagged = entries.some((entry) => entry.key === 'tag' || entry.key === 'digest');
    if (repository !== undefined && repository.text !== '' && (tagged || /image$/i.test(key))) {
      // The global registry is for mirrors: it replaces what each image names.
      const registry = global || text('registry')?.text || '';
      inParts({ registry, repository, tag: text('tag'), digest: text('digest') }, appVersion, out);
    }
    for (const entry of entries) {
      if (entry.value === undefined) continue;
      const whole = tree.text(entry.value);
      if (whole === undefined) open.push({ node: entry.value, key: entry.key });
      else if (/(?:^i|I)mage$/.test(entry.key)) inOne(whole, text(`${entry.key}Tag`), out);
    }
  }
}

interface Parts {
  readonly registry: string;
  readonly repository: Text;
  readonly tag: Text | undefined;
  readonly digest: Text | undefined;
}

function inParts({ registry, repository, tag, digest }: Parts, appVersion: Text | undefined, out: Collected) {
  const name = registry === '' ? repository.text : `${registry}/${repository.text}`;
  const has = (text: Text | undefined): text is Text => text !== undefined && text.text !== '';
  if (isTemplate(name)) return out.cannotRead({ at: repository.at, why: 'it is made by a template' });
  const fixed = has(tag) ? `${name}:${tag.text}` : name;
  if (has(digest)) return out.assembled('helm', digest, (text) => `${fixed}@${text}`);
  if (has(tag)) return out.assembled('helm', tag, (text) => `${name}:${text}`);
  if (appVersion !== undefined) return out.assembled('helm', appVersion, (text) => `${name}:${text}`);
  // A repository may have its tag or digest written behind it.
  out.assembled('helm', repository, (text) => (registry === '' ? text : `${registry}/${text}`));
}

/** `image: name:tag`, or `image: name` with `imageTag` beside it. */
function inOne(image: Text, tag: Text | undefined, out: Collected) {
  if (tag !== undefined && tag.text !== '')
    return out.assembled('helm', tag, (text) => `${image.text}:${text}`);
  // `image: ""`, `pullImage: true` and the like are none.
  if (/[/:@]/.test(image.text) || isTemplate(image.text)) out.reference('helm', image);
}
