import * as v from 'valibot';
import { type Document, isMap, isScalar, LineCounter, type Pair, parseDocument } from 'yaml';
import { Failure } from '../outcome.ts';
import { nearest } from './nearest.ts';

/** Configuration files are small; more is a mistake or an attack. */
export const CONFIG_LIMIT = 256 * 1024;
const MOST_ALIASES = 50;
const MOST_PROBLEMS = 10;

/** A configuration file as it was read, with the places of what stands in it. */
export interface YamlFile<T> {
  readonly value: T;
  /** Line and column (1-based) of the value at a path of keys and indexes; of the nearest part of it that exists. */
  at(path: readonly (string | number)[]): { readonly line: number; readonly column: number };
}

/**
 * Reads a YAML 1.2 configuration file against a schema. `name` is how people know the file. Fails with
 * `config-invalid`, naming file, line, column and key of every problem, and the nearest known key for an unknown one.
 */
export function readYamlFile<S extends v.GenericSchema>(
  content: Uint8Array,
  name: string,
  schema: S,
): YamlFile<v.InferOutput<S>> {
  if (content.length > CONFIG_LIMIT) {
    throw new Failure('config-invalid', `${name} is larger than ${CONFIG_LIMIT / 1024} KiB.`);
  }
  const text = decoded(content, name);
  const lines = new LineCounter();
  // Core schema: no dates, no binary, no tag that makes something of a text.
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: true,
  });
  const broken = document.errors[0] ?? document.warnings[0];
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    throw new Failure('config-invalid', `${name}:${line}:${col}: ${broken.message.split('\n')[0]}`);
  }
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: MOST_ALIASES }) ?? {};
  } catch (cause) {
    // An alias of nothing, or more of them than a person writes: a small file can stand for a huge one.
    const why = cause instanceof Error ? cause.message.split('\n')[0] : 'an alias cannot be followed';
    throw new Failure('config-invalid', `${name}: ${why}.`, { cause });
  }
  const at = (path: readonly (string | number)[], key = false): { line: number; column: number } => {
    const { line, col } = lines.linePos(offsetOf(document, path, key));
    return { line, column: col };
  };
  const result = v.safeParse(schema, plain);
  if (!result.success) {
    const problems = result.issues.slice(0, MOST_PROBLEMS).map((issue) => problemOf(issue, schema, name, at));
    throw new Failure('config-invalid', problems.join(' '));
  }
  return { value: result.output, at };
}

function decoded(content: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (cause) {
    throw new Failure('config-invalid', `${name} is not UTF-8.`, { cause });
  }
}

/** `knowngood.yml:3:1: \`relases\` is not known. Did you mean \`releases\`?` */
function problemOf(
  issue: v.BaseIssue<unknown>,
  schema: v.GenericSchema,
  name: string,
  at: (path: readonly (string | number)[], key?: boolean) => { line: number; column: number },
): string {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  const unknown = issue.type === 'strict_object' && issue.expected === 'never';
  const { line, column } = at(path, unknown);
  const key = path.join('.');
  if (unknown) {
    const known = knownKeys(schema, path.slice(0, -1));
    const near = nearest(String(path.at(-1)), known);
    const hint = near === undefined ? `Known here: ${known.join(', ')}.` : `Did you mean \`${near}\`?`;
    return `${name}:${line}:${column}: \`${key}\` is not known. ${hint}`;
  }
  const missing = issue.type === 'strict_object' && issue.received === 'undefined';
  const what = missing
    ? 'is missing.'
    : issue.kind === 'schema' && !issue.message.startsWith('must be')
      ? `must be ${issue.expected ?? 'something else'}, not ${issue.received}.`
      : `${issue.message}.`.replace(/\.\.$/, '.');
  return `${name}:${line}:${column}: \`${key}\` ${what}`;
}

/** Keys that the schema has at a path; none where it cannot be told (a choice of several forms). */
function knownKeys(schema: unknown, path: readonly (string | number)[]): string[] {
  let here = schema as {
    type?: string;
    entries?: Record<string, unknown>;
    wrapped?: unknown;
    item?: unknown;
    options?: unknown[];
    pipe?: unknown[];
  };
  const unwrap = (): void => {
    while (here?.wrapped !== undefined) here = here.wrapped as typeof here;
  };
  for (const key of path) {
    unwrap();
    const next = here?.entries?.[String(key)] ?? here?.item;
    if (next === undefined) return [];
    here = next as typeof here;
  }
  unwrap();
  return here?.entries === undefined ? [] : Object.keys(here.entries);
}

function offsetOf(document: Document.Parsed, path: readonly (string | number)[], key: boolean): number {
  for (let length = path.length; length > 0; length--) {
    const inner = path.slice(0, length);
    if (key && length === path.length) {
      const parent = length === 1 ? document.contents : document.getIn(inner.slice(0, -1), true);
      const pair = isMap(parent)
        ? (parent.items as Pair[]).find(
            (item) => isScalar(item.key) && String(item.key.value) === String(inner.at(-1)),
          )
        : undefined;
      const range = isScalar(pair?.key) ? pair.key.range : undefined;
      if (range) return range[0];
    }
    const node = document.getIn(inner, true) as { range?: readonly number[] | null } | undefined;
    if (node?.range?.[0] !== undefined) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}
