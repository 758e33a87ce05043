import { inert } from '../untrusted/text.ts';

/**
 * Untrusted text as a Markdown code span: nothing in it is a link, a mention, an image or HTML. The fence is longer
 * than any run of backticks inside (CommonMark 6.1); a table cell cannot be left, and lines cannot be broken.
 */
export function code(text: string): string {
  // Renderers differ in whether `\\|` ends a cell: a backslash of the text is kept away from ours.
  const line = inert(text)
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\\(?=\|)/g, '\\ ')
    .replaceAll('|', '\\|');
  if (line === '') return '';
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = '`'.repeat(longest + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A fenced block of untrusted text: the fence is longer than any inside. */
export function block(text: string): string {
  const lines = text.split('\n').map(inert).join('\n');
  const longest = Math.max(2, ...[...lines.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${lines}\n${fence}`;
}

/** A table of cells that are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
