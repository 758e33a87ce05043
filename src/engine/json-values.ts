/** A JSON value among lines of text, or such a line. */
export type JsonOrText = { readonly json: string } | { readonly text: string };

/** No single status message is longer; what is, is text. */
const longestValue = 16 * 1024 * 1024;

/**
 * Takes JSON objects out of a stream of lines. buildx writes one a line, or, in versions below 0.14, indented over
 * many lines; between them come its own sentences.
 */
export async function* readJsonValues(lines: AsyncIterable<string>): AsyncGenerator<JsonOrText> {
  let pending = '';
  let depth = 0;
  let inString = false;
  let escaped = false;
  for await (const line of lines) {
    if (pending === '' && !line.startsWith('{')) {
      yield { text: line };
      continue;
    }
    for (const char of line) {
      if (escaped) escaped = false;
      else if (inString && char === '\\') escaped = true;
      else if (char === '"') inString = !inString;
      else if (!inString && (char === '{' || char === '[')) depth++;
      else if (!inString && (char === '}' || char === ']')) depth--;
    }
    pending += `${line}\n`;
    if (depth <= 0 || pending.length > longestValue) {
      yield depth === 0 && !inString ? { json: pending } : { text: pending };
      pending = '';
      depth = 0;
      inString = false;
      escaped = false;
    }
  }
  if (pending !== '') yield { text: pending };
}
