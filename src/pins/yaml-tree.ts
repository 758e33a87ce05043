import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from 'yaml';
import type { Place, Unreadable } from './pin.ts';

/** A key with its value, which may be one that a merge brought in. */
export interface Entry {
  readonly key: string;
  readonly value: Node | undefined;
}

/** A scalar's text and where it begins, quotes not counted. */
export interface Text {
  readonly text: string;
  readonly at: Place;
}

/** Aliases that one file may have followed; merges of merges would multiply. */
const MOST_ALIASES = 10_000;

/**
 * The documents of a YAML file, with positions. Anchors, aliases and merge keys are followed, so that a value is
 * found at the place where it is written. What is not YAML is told; documents beside it are read all the same.
 */
export class YamlTree {
  readonly file: string;
  /** The top of each document that could be read. */
  readonly roots: readonly Node[];
  readonly unreadable: readonly Unreadable[];
  readonly #lines = new LineCounter();
  readonly #anchors = new Map<string, { offset: number; node: Node }[]>();
  #followed = 0;

  constructor(file: string, text: string) {
    this.file = file;
    const options = { lineCounter: this.#lines, uniqueKeys: false, prettyErrors: false } as const;
    let documents: readonly Document[] = [];
    const unreadable: Unreadable[] = [];
    try {
      const parsed = parseAllDocuments(text, { ...options, logLevel: 'silent' });
      documents = 'empty' in parsed ? [] : parsed;
    } catch (error) {
      // Nested so deeply that the parser's own stack ends.
      if (!(error instanceof RangeError)) throw error;
      unreadable.push({ at: { file, line: 1, column: 1 }, why: 'it is nested too deeply' });
    }
    const roots: Node[] = [];
    for (const document of documents) {
      const [error] = document.errors;
      if (error !== undefined) {
        const why = `it is not valid YAML: ${error.message.split('\n', 1)[0]!.replace(/\.$/, '')}`;
        unreadable.push({ at: this.placeOf(error.pos[0]), why });
        continue;
      }
      if (!isNode(document.contents)) continue;
      if (text.includes('&')) this.#collectAnchors(document);
      roots.push(document.contents);
    }
    this.roots = roots;
    this.unreadable = unreadable;
  }

  placeOf(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  /** The value of a key, merges included; `undefined` where there is none. */
  get(node: Node | undefined, ...path: readonly string[]): Node | undefined {
    let at = this.resolve(node);
    for (const key of path) {
      at = this.#own(at, key) ?? this.entries(at).find((entry) => entry.key === key)?.value;
      if (at === undefined) return undefined;
    }
    return at;
  }

  /** The value of a map's own key: without looking at merges, which only count where there is none. */
  #own(node: Node | undefined, key: string): Node | undefined {
    if (!isMap(node)) return undefined;
    const pair = node.items.findLast((item) => isScalar(item.key) && item.key.value === key);
    return isNode(pair?.value) ? this.resolve(pair.value) : undefined;
  }

  /** The entries of a map, its own before those that merges (`<<`) bring in; none where it is no map. */
  entries(node: Node | undefined, depth = 0): readonly Entry[] {
    const map = this.resolve(node);
    if (!isMap(map) || depth > 16) return [];
    const found = new Map<string, Entry>();
    const merged: Node[] = [];
    for (const pair of map.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const key = String(pair.key.source ?? pair.key.value);
      const value = isNode(pair.value) ? this.resolve(pair.value) : undefined;
      if (key === '<<') {
        if (isSeq(value)) merged.push(...value.items.filter(isNode));
        else if (value !== undefined) merged.push(value);
        continue;
      }
      // The last of two equal keys counts, as most readers have it.
      found.set(key, { key, value });
    }
    for (const source of merged) {
      for (const entry of this.entries(source, depth + 1)) {
        if (!found.has(entry.key)) found.set(entry.key, entry);
      }
    }
    return [...found.values()];
  }

  /** The items of a list; none where it is no list. */
  items(node: Node | undefined): readonly Node[] {
    const list = this.resolve(node);
    if (!isSeq(list)) return [];
    return list.items.filter(isNode).flatMap((item) => this.resolve(item) ?? []);
  }

  /** The text of a scalar; a number as its reader prints it, since that is what a tag becomes. */
  text(node: Node | undefined): Text | undefined {
    const scalar = this.resolve(node);
    // `!reset` takes a value of another compose file away.
    if (!isScalar(scalar) || scalar.value === null || scalar.tag === '!reset') return undefined;
    const start = scalar.range?.[0] ?? 0;
    const quoted = scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE';
    return { text: String(scalar.value), at: this.placeOf(start + (quoted ? 1 : 0)) };
  }

  /** Where a node begins. */
  placeAt(node: Node): Place {
    return this.placeOf(node.range?.[0] ?? 0);
  }

  isMap(node: Node | undefined): boolean {
    return isMap(this.resolve(node));
  }

  isList(node: Node | undefined): boolean {
    return isSeq(this.resolve(node));
  }

  /** What an alias stands for: the nearest anchor of that name before it. */
  resolve(node: Node | undefined): Node | undefined {
    let at = node;
    for (let depth = 0; isAlias(at) && depth < 16; depth++) {
      this.#followed += 1;
      if (this.#followed > MOST_ALIASES) throw new TooManyAliases();
      const offset = at.range?.[0] ?? 0;
      const { source } = at;
      at = this.#anchors.get(source)?.findLast((anchor) => anchor.offset < offset)?.node;
    }
    return isAlias(at) ? undefined : at;
  }

  #collectAnchors(document: Document): void {
    visit(document, {
      Node: (_, node) => {
        if (isAlias(node) || node.anchor === undefined) return;
        const known = this.#anchors.get(node.anchor) ?? [];
        known.push({ offset: node.range?.[0] ?? 0, node });
        this.#anchors.set(node.anchor, known);
      },
    });
  }
}

/** A file whose aliases multiply; told as a file that cannot be read. */
export class TooManyAliases extends Error {}
