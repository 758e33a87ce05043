import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { projectRoot } from '../../sandbox/paths.ts';

/** What a YAML block of the documents is for. `part`: steps of a pipeline; `other`: configuration files. */
export type ExampleKind = 'workflow' | 'drone' | 'woodpecker' | 'part' | 'other';

export interface Example {
  /** `docs/testme.md#1`: the file, and which of its YAML blocks; `drone-plugin/examples/release.yml` for a file. */
  readonly id: string;
  readonly kind: ExampleKind;
  /** As it stands there. */
  readonly text: string;
}

/** Every YAML block of README and docs, and every example file of the plugin. */
export function examples(): readonly Example[] {
  const pages = ['README.md', ...filesBelow('docs', '.md'), ...filesBelow('drone-plugin', '.md')];
  const blocks = pages.flatMap((page) =>
    yamlBlocks(page).map((text, n) => example(`${page}#${n + 1}`, text)),
  );
  const files = filesBelow('drone-plugin/examples', '.yml').map((file) => example(file, read(file)));
  return [...blocks, ...files];
}

export const examplesOf = (kind: ExampleKind): readonly Example[] =>
  examples().filter((one) => one.kind === kind);

/** The one example with this id. */
export function theExample(id: string): Example {
  const found = examples().find((one) => one.id === id);
  if (found === undefined) throw new Error(`there is no example ${id} in the documents any more`);
  return found;
}

/** Our own workflows. */
export function ownWorkflows(): readonly Example[] {
  return filesBelow('.github/workflows', '.yml').map((file) => example(file, read(file)));
}

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');

function filesBelow(folder: string, ending: string): string[] {
  const names = readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => `${folder}/${name}`);
}

/** Fenced blocks marked `yaml`, also inside list items, without the indentation of their fence. */
function yamlBlocks(page: string): string[] {
  return [...read(page).matchAll(/^( *)```ya?ml\n([\s\S]*?)^\1```$/gm)].map(([, indent = '', body = '']) =>
    body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

function example(id: string, text: string): Example {
  return { id, kind: kindOf(text), text };
}

function kindOf(text: string): ExampleKind {
  const first: unknown = parseAllDocuments(text)[0]?.toJS();
  if (typeof first !== 'object' || first === null) return 'other';
  if ('jobs' in first && 'on' in first) return 'workflow';
  if ('kind' in first && first.kind === 'pipeline') return 'drone';
  if ('when' in first && 'steps' in first) return 'woodpecker';
  const isStep = (step: unknown): boolean =>
    typeof step === 'object' && step !== null && ['name', 'uses', 'settings'].some((key) => key in step);
  return stepsIn(first).some(isStep) ? 'part' : 'other';
}

/** The steps of a part: a list, what is called `steps`, or one step's settings. */
function stepsIn(value: object): readonly unknown[] {
  const steps = Array.isArray(value) ? value : 'steps' in value ? value.steps : [value];
  return Array.isArray(steps) ? steps : [];
}

/** One pipeline for Drone whose steps are those of these parts, in order; with the volume that they may name. */
export function pipelineOf(parts: readonly Example[]): string {
  const named = { name: 'part', image: 'ghcr.io/knowngood/knowngood' };
  const steps = parts.flatMap(({ text }) =>
    stepsIn(parse(text) as object).map((step) => ({ ...named, ...(step as object) })),
  );
  const volumes = [{ name: 'docker', host: { path: '/var/run/docker.sock' } }];
  return stringify({ kind: 'pipeline', type: 'docker', name: 'parts', steps, volumes });
}

/** A workflow whose one job has the steps of this part, after a checkout. */
export function workflowOf(part: Example): string {
  const steps = [{ uses: 'actions/checkout@v4' }, ...stepsIn(parse(part.text) as object)];
  return stringify({ name: 'part', on: 'push', jobs: { part: { 'runs-on': 'ubuntu-latest', steps } } });
}
