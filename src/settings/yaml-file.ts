import * as v from 'valibot';
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  visit,
} from 'yaml';
import { Failure, type Finding, finding } from '../outcome.ts';
import { explained, type Mistake } from './mistakes.ts';

/** Largest configuration file, in bytes (security.md 7 of the design). */
export const CONFIG_LIMIT = 256 * 1024;
/** More aliases than people write; a small file with many of them can grow to gigabytes. */
const MOST_ALIASES = 64;
const MOST_MISTAKES = 10;

/** A place in a file, 1-based. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type Path = readonly (string | number)[];

/** Lines of a file, 1-based and inclusive, with their text. */
export interface Lines {
  readonly file: string;
  readonly first: number;
  readonly last: number;
  readonly text: readonly string[];
}

/** A configuration file that was read and is valid. */
export interface YamlFile<T> {
  readonly value: T;
  /** Where the key or item at this path stands; the top of the file where nothing is there. */
  at(path: Path): Place;
  /** The lines to delete so that the key or list item is gone; its whole key where it is the only item. */
  linesOf(path: Path): Lines;
  /** A Failure `config-invalid` about the key or item at this path, for rules that a schema cannot say. */
  wrong(path: Path, what: string): Failure;
}

/**
 * Reads a configuration file: YAML 1.2, one document, bounded in size and aliases, checked against a strict schema.
 * Fails with `config-invalid`; the message names file, line, column and key, and the nearest known key where one is
 * not known. All mistakes are told at once, as findings. `defaults` are laid below what the file has, map by map, and
 * are checked with it.
 */
export function readYaml<S extends v.GenericSchema>(
  schema: S,
  file: string,
  bytes: Uint8Array,
  defaults: Readonly<Record<string, unknown>> = {},
): YamlFile<v.InferOutput<S>> {
  const text = decode(file, bytes);
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: '1.2',
    lineCounter,
    prettyErrors: false,
    // Else it writes about odd keys to stderr, past the log and its mask.
    logLevel: 'error',
    uniqueKeys: true,
  });
  const found = new Found(file, text, lineCounter);
  const document = 'empty' in documents ? undefined : documents[0];
  if (!('empty' in documents) && documents.length > 1) {
    const second = documents[1]?.range?.[0] ?? 0;
    throw invalid([found.finding(found.placeOf(second), 'A second document begins here; one is read.')]);
  }
  const problem = document?.errors[0] ?? document?.warnings[0];
  if (problem !== undefined)
    throw invalid([found.finding(found.placeOf(problem.pos[0]), sentence(problem.message))]);
  found.document = document;

  let value: unknown;
  try {
    value = document?.toJS({ maxAliasCount: MOST_ALIASES }) ?? {};
  } catch {
    const lost = document === undefined ? undefined : aliasOfNothing(document);
    throw invalid([
      lost === undefined
        ? found.finding(found.placeOf(0), `There are more than ${MOST_ALIASES} aliases.`)
        : found.finding(
            found.placeOf(lost.range?.[0] ?? 0),
            `No anchor \`&${lost.source}\` stands before this.`,
          ),
    ]);
  }
  value = laidOver(defaults, value);
  const parsed = v.safeParse(schema, value);
  const mistakes = explained(schema, parsed.issues ?? [], value).slice(0, MOST_MISTAKES);
  if (!parsed.success || mistakes.length > 0) {
    throw invalid(mistakes.map((mistake) => found.mistake(mistake)));
  }
  return {
    value: parsed.output,
    at: (path) => found.at(path),
    linesOf: (path) => found.linesOf(path),
    wrong: (path, what) => invalid([found.mistake({ path, what })]),
  };
}

function aliasOfNothing(document: Document): Alias | undefined {
  let lost: Alias | undefined;
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      lost = alias;
      return visit.BREAK;
    },
  });
  return lost;
}

/** The value, and where it is silent the one below it. Maps are joined; anything else is taken whole. */
function laidOver(below: unknown, value: unknown): unknown {
  if (value === undefined || value === null) return below;
  if (!isPlain(below) || !isPlain(value)) return value;
  const keys = new Set([...Object.keys(below), ...Object.keys(value)]);
  return Object.fromEntries([...keys].map((key) => [key, laidOver(own(below, key), own(value, key))]));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function decode(file: string, bytes: Uint8Array): string {
  const at = { file, line: 1, column: 1 };
  const bad = (what: string): Failure =>
    invalid([finding('config-invalid', 'error', `${file}: ${what}`, { at })]);
  if (bytes.length > CONFIG_LIMIT) throw bad(`The file is larger than ${CONFIG_LIMIT} bytes.`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw bad('The file is not UTF-8 text.');
  }
}

/** One Failure for all of them; its message is the first. */
function invalid(findings: readonly Finding[]): Failure {
  const [first] = findings;
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  return new Failure('config-invalid', `${first?.message ?? 'The file is not valid.'}${more}`, { findings });
}

function sentence(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return line.endsWith('.') ? line : `${line}.`;
}

/** Positions of what a document holds. */
class Found {
  document: Document | undefined;
  private readonly file: string;
  private readonly text: string;
  private readonly lines: LineCounter;

  constructor(file: string, text: string, lines: LineCounter) {
    this.file = file;
    this.text = text;
    this.lines = lines;
  }

  placeOf(offset: number): Place {
    const { line, col } = this.lines.linePos(offset);
    return { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  finding(at: Place, what: string): Finding {
    return finding('config-invalid', 'error', `${at.file}:${at.line}:${at.column}: ${what}`, { at });
  }

  mistake({ path, what }: Mistake): Finding {
    const key = path.length === 0 ? '' : `\`${shownPath(path)}\` `;
    return this.finding(this.at(path), `${key}${what}.`);
  }

  /** The deepest place on the way to this path that there is. */
  at(path: Path): Place {
    for (let length = path.length; length > 0; length--) {
      const found = this.find(path.slice(0, length));
      const start = found && (found.key?.range?.[0] ?? found.node?.range?.[0]);
      if (start !== undefined && start !== null) return this.placeOf(start);
    }
    return { file: this.file, line: 1, column: 1 };
  }

  linesOf(path: Path): Lines {
    const parent = path.length > 0 ? this.find(path.slice(0, -1))?.node : undefined;
    // An empty list or map would be left behind.
    if (path.length > 1 && (isSeq(parent) || isMap(parent)) && parent.items.length === 1) {
      return this.linesOf(path.slice(0, -1));
    }
    const found = this.find(path);
    const start = found?.key?.range?.[0] ?? found?.node?.range?.[0] ?? 0;
    const end = found?.node?.range?.[1] ?? found?.key?.range?.[1] ?? start;
    const first = this.placeOf(start).line;
    const last = Math.max(first, this.placeOf(Math.max(start, end - 1)).line);
    return { file: this.file, first, last, text: this.text.split(/\r?\n/).slice(first - 1, last) };
  }

  private find(path: Path): { key?: Node; node?: Node } | undefined {
    let node: Node | undefined = nodeOr(this.document?.contents);
    let key: Node | undefined;
    for (const step of path) {
      if (isAlias(node)) node = nodeOr(this.document === undefined ? undefined : node.resolve(this.document));
      if (isMap(node)) {
        const pair: Pair | undefined = node.items.find((item) => keyText(item.key) === String(step));
        if (pair === undefined) return undefined;
        key = nodeOr(pair.key);
        node = nodeOr(pair.value);
      } else if (isSeq(node)) {
        key = undefined;
        node = nodeOr(node.items[Number(step)]);
        if (node === undefined) return undefined;
      } else return undefined;
    }
    return { ...(key === undefined ? {} : { key }), ...(node === undefined ? {} : { node }) };
  }
}

function nodeOr(value: unknown): Node | undefined {
  return isNode(value) ? value : undefined;
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

/** `known-broken[0].until` */
function shownPath(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}
