/**
 * Makes text safe to print in a log: no control characters (terminal escapes, carriage returns that hide a line),
 * no bidirectional overrides that show it in another order. Tabs stay.
 */
export function inert(text: string): string {
  return text
    .replace(/\u001b\[[0-9;:?]*[ -/]*[@-~]/g, '')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '');
}

/** The lines of foreign text, each inert; a carriage return starts a new line, as progress bars mean it. */
export function inertLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/).map(inert);
  while (lines.length > 1 && lines[lines.length - 1] === '') lines.pop();
  return lines;
}

/**
 * The text of an output: identifiers stay, and JSON stays JSON, with everything outside plain ASCII text escaped, so
 * that no value can break a line, a quote or a workflow file.
 */
export function plainAscii(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
