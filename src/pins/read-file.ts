import type { Node } from 'yaml';
import { Collected } from './collect.ts';
import { composePins } from './compose.ts';
import { dockerfilePins } from './dockerfile.ts';
import { envPins } from './env.ts';
import { helmPins } from './helm.ts';
import { kubernetesPins } from './kubernetes.ts';
import type { PinFile } from './pin.ts';
import { pipelinePins } from './pipeline.ts';
import { readVariables, type Variable } from './variables.ts';
import { workflowPins } from './workflow.ts';
import { type Text, TooManyAliases, YamlTree } from './yaml-tree.ts';

/** Reads another text file of the same tree, by its path; `undefined` where there is none. */
export type ReadOther = (path: string) => string | undefined;

/**
 * The images that one file names, with their places. What kind of file it is, its name says, and where that could be
 * anything, its content. Never throws for what a file holds: what cannot be read is told with its place.
 *
 * @param file     path relative to the tree, for positions and for the files beside it
 * @param envFile  the env file of compose files, where it is not `.env` beside them
 */
export function readPinFile(file: string, bytes: Uint8Array, other: ReadOther, envFile?: string): PinFile {
  if (isDockerfile(file)) return dockerfilePins(file, bytes);
  const text = new TextDecoder().decode(bytes);
  if (isEnvFile(file)) {
    const out = new Collected({ file });
    envPins(readVariables(file, text), out);
    return out.result();
  }
  const tree = new YamlTree(file, text);
  const out = new Collected(tree);
  try {
    for (const root of tree.roots) document(tree, root, out, other, envFile);
  } catch (error) {
    if (!(error instanceof TooManyAliases)) throw error;
    const why = 'it has more aliases than can be followed';
    return { file, pins: [], unreadable: [{ at: { file, line: 1, column: 1 }, why }] };
  }
  return out.result(tree.unreadable);
}

function document(tree: YamlTree, root: Node, out: Collected, other: ReadOther, envFile: string | undefined) {
  const name = nameOf(tree.file);
  if (isWorkflow(tree.file)) return workflowPins(tree, root, out);
  if (/^\.drone\.ya?ml$/.test(name)) return pipelinePins('drone', tree, root, out);
  if (/^\.woodpecker\.ya?ml$/.test(name) || /(?:^|\/)\.woodpecker\//.test(tree.file)) {
    return pipelinePins('woodpecker', tree, root, out);
  }
  const has = (key: string): boolean => tree.get(root, key) !== undefined;
  // Under other names, for those who keep several: what they are, their keys say.
  if (has('jobs') && (has('on') || has('name'))) return workflowPins(tree, root, out);
  if (tree.text(tree.get(root, 'kind'))?.text === 'pipeline') return pipelinePins('drone', tree, root, out);
  if (has('steps') && !has('apiVersion')) return pipelinePins('woodpecker', tree, root, out);
  if ((has('apiVersion') && has('kind')) || /^kustomization\.ya?ml$/.test(name)) {
    return kubernetesPins(tree, root, out);
  }
  if (tree.isMap(tree.get(root, 'services')) && !/^values/.test(name)) {
    return composePins(tree, root, variablesFor(tree.file, other, envFile), out);
  }
  // What is left of the files that somebody named: values, overlays of values, and lists of objects.
  if (/^values.*\.ya?ml$/.test(name) || !/compose/.test(name)) {
    helmPins(tree, root, appVersionBeside(tree.file, other), out);
    for (const item of tree.items(root)) kubernetesPins(tree, item, out);
  }
}

/** `.env` beside the compose file, as compose takes it, below the env file that the configuration names. */
function variablesFor(file: string, other: ReadOther, envFile: string | undefined): readonly Variable[] {
  const folder = file.slice(0, file.length - nameOf(file).length);
  return [`${folder}.env`, ...(envFile === undefined ? [] : [envFile])].flatMap((path) => {
    const text = other(path);
    return text === undefined ? [] : readVariables(path, text);
  });
}

/** The version that a chart has where its values name none: `appVersion` of the chart beside. */
function appVersionBeside(file: string, other: ReadOther): Text | undefined {
  const path = `${file.slice(0, file.length - nameOf(file).length)}Chart.yaml`;
  const text = other(path);
  if (text === undefined) return undefined;
  const chart = new YamlTree(path, text);
  return chart.text(chart.get(chart.roots[0], 'appVersion'));
}

/** Whether this is a file that Docker reads as a Dockerfile, by its name. */
export function isDockerfile(file: string): boolean {
  return (
    /^(?:(?:Docker|Container)file(?:\.[\w.-]+)?|.+\.(?:[Dd]ocker|[Cc]ontainer)file)$/.test(nameOf(file)) &&
    !/\.(?:dockerignore|containerignore|ya?ml|md|json)$/.test(file)
  );
}

function isEnvFile(file: string): boolean {
  return /^(?:\.env(?:\..+)?|.+\.env)$/.test(nameOf(file));
}

function isWorkflow(file: string): boolean {
  return (
    /(?:^|\/)\.(?:github|gitea|forgejo)\/workflows\/[^/]+$/.test(file) || /^action\.ya?ml$/.test(nameOf(file))
  );
}

function nameOf(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}
