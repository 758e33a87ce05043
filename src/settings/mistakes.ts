import type * as v from 'valibot';
import { nearest } from './nearest.ts';

/** One thing that is wrong, as the end of a sentence that begins with the key. */
export interface Mistake {
  readonly path: readonly (string | number)[];
  readonly what: string;
}

type Issue = v.BaseIssue<unknown>;

/**
 * What a person should read about the issues of a schema: which key, what it should be, and for a key that is not
 * known the nearest one that is. Of a choice between forms, the form that came furthest is explained.
 */
export function explained(schema: v.GenericSchema, issues: readonly Issue[], value: unknown): Mistake[] {
  const shape = misshapen([schema], value, []);
  const told = new Set(shape.map(({ path }) => JSON.stringify(path)));
  const others = issues.flatMap((issue) => {
    const { path, leaf } = deepest(issue);
    const isTold = path.some((_, at) => told.has(JSON.stringify(path.slice(0, at + 1)))) || told.has('[]');
    return isTold ? [] : [{ path, what: describe(path, leaf, value, keysAt(schema, path.slice(0, -1))) }];
  });
  return [...shape, ...others];
}

/**
 * Keys that no form knows, and lists where every form is a map. The library tells of the first unknown key of a map
 * only, and takes a list for a map with the keys 0, 1, 2.
 */
export function misshapen(schemas: readonly unknown[], value: unknown, path: Mistake['path']): Mistake[] {
  if (typeof value !== 'object' || value === null) return [];
  const forms = schemas.flatMap(formsOf);
  const items = forms.flatMap(({ item }) => (item === undefined ? [] : [item]));
  const maps = forms.filter((form) => form.entries !== undefined || form.value !== undefined);
  if (Array.isArray(value)) {
    // Where no schema is left, the walk ends: an alias can make a list its own item.
    if (items.length === 0) return maps.length > 0 ? [{ path, what: 'must be a map, not a list' }] : [];
    return value.flatMap((item, index) => misshapen(items, item, [...path, index]));
  }
  if (maps.length === 0) return [];
  return Object.entries(value).flatMap(([key, below]) => {
    const known = maps.flatMap(({ entries, value: any }) => {
      const next = entries !== undefined && Object.hasOwn(entries, key) ? entries[key] : any;
      return next === undefined ? [] : [next];
    });
    if (known.length > 0) return misshapen(known, below, [...path, key]);
    const names = maps.flatMap(({ entries }) => Object.keys(entries ?? {}));
    return maps.every(({ type }) => type === 'strict_object')
      ? [{ path: [...path, key], what: notKnown(key, names) }]
      : [];
  });
}

function notKnown(key: string, names: readonly string[]): string {
  const near = nearest(key, names);
  return `is not known${near === undefined ? '' : `; did you mean \`${near}\``}`;
}

function describe(path: Mistake['path'], issue: Issue, value: unknown, names: readonly string[]): string {
  // A key that another form knows.
  if (issue.type === 'strict_object' && issue.expected === 'never')
    return notKnown(String(path.at(-1)), names);
  if (issue.received === 'undefined' && !isThere(value, path)) return 'is missing';
  // Our own messages say it in full; the library's begin so.
  if (!issue.message.startsWith('Invalid ')) return issue.message;
  return `must be ${wish(issue.expected)}, not ${issue.received.slice(0, 60)}`;
}

function wish(expected: string | null): string {
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    number: 'a number',
    boolean: '`true` or `false`',
    Object: 'a map',
    Array: 'a list',
  };
  const parts = (expected ?? 'something else').replace(/^\((.*)\)$/, '$1').split(' | ');
  return [...new Set(parts.map((part) => names[part] ?? part.replaceAll('"', '`')))].join(' or ');
}

/** Follows the issues of unions to the one with the longest path. */
function deepest(issue: Issue): { path: Mistake['path']; leaf: Issue } {
  const path = keysOf(issue);
  let best: { path: Mistake['path']; leaf: Issue } = { path, leaf: issue };
  for (const inner of issue.issues ?? []) {
    const below = deepest(inner);
    // Paths of inner issues begin at the union itself.
    const whole =
      below.path.length >= path.length && startsWith(below.path, path)
        ? below.path
        : [...path, ...below.path];
    if (whole.length > best.path.length) best = { path: whole, leaf: below.leaf };
  }
  if (best.leaf !== issue || issue.issues === undefined) return best;
  // Nothing lies deeper: where only one form fits the kind of value, its own words are better than the choice.
  const [only, ...others] = issue.issues.filter(
    ({ type }) => !/^(?:string|number|boolean|literal|picklist|array|strict_object|object)$/.test(type),
  );
  return only !== undefined && others.length === 0 ? { path, leaf: only as Issue } : best;
}

function startsWith(path: Mistake['path'], head: Mistake['path']): boolean {
  return head.every((key, index) => path[index] === key);
}

function keysOf(issue: Issue): (string | number)[] {
  return (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
}

function isThere(value: unknown, path: Mistake['path']): boolean {
  let at: unknown = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = (at as Record<string | number, unknown>)[key];
  }
  return true;
}

/** The keys that a schema knows at a path, over all forms that it may have there. */
export function keysAt(schema: unknown, path: Mistake['path']): string[] {
  const here = formsOf(schema);
  const [key, ...rest] = path;
  if (key === undefined) return here.flatMap(({ entries }) => Object.keys(entries ?? {}));
  return here.flatMap(({ entries, item, value }) => {
    const next = typeof key === 'number' ? item : (entries?.[key] ?? value);
    return next === undefined ? [] : keysAt(next, rest);
  });
}

/** The parts of valibot's schemas that hold other schemas. */
interface Form {
  readonly type?: string;
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly item?: unknown;
  readonly value?: unknown;
  readonly wrapped?: unknown;
  readonly options?: readonly unknown[];
  readonly pipe?: readonly unknown[];
}

function formsOf(schema: unknown): Form[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const form = schema as Form;
  if (form.wrapped !== undefined) return formsOf(form.wrapped);
  const options = (form.options ?? []).filter((option) => typeof option === 'object');
  if (options.length > 0) return options.flatMap(formsOf);
  return [form];
}
