import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

/** Where a key stands in a file as people wrote it. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Finds a key of the resolved model in the files that it was made from. Later files override earlier ones, so they
 * are asked first; a key that came by an anchor, `extends` or a variable is shown where its nearest parent stands.
 */
export function placeOf(
  files: readonly { readonly name: string; readonly text: string }[],
  path: readonly string[],
): Place | undefined {
  for (let length = path.length; length > 0; length--) {
    for (const { name, text } of [...files].reverse()) {
      const lines = new LineCounter();
      const document = parseDocument(text, { lineCounter: lines, logLevel: 'silent', merge: true });
      const offset = offsetOf(document, path.slice(0, length));
      if (offset !== undefined) {
        const { line, col } = lines.linePos(offset);
        return { file: name, line, column: col };
      }
    }
  }
  return undefined;
}

function offsetOf(document: Document, path: readonly string[]): number | undefined {
  let at: unknown = document.contents;
  let offset: number | undefined;
  for (const key of path) {
    if (isAlias(at)) at = at.resolve(document);
    if (isMap(at)) {
      const pair = at.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
      if (pair === undefined) return undefined;
      offset = (pair.key as Node).range?.[0];
      at = pair.value;
    } else if (isSeq(at)) {
      const item = at.items[Number(key)] as Node | undefined;
      if (item === undefined) return undefined;
      offset = item.range?.[0];
      at = item;
    } else return undefined;
  }
  return offset;
}
