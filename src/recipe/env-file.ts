/**
 * Reads an env file as compose does, as far as names and plain values go: `NAME=value` lines, `export`, comments,
 * quotes. In single quotes nothing counts but the quote; variables inside values are left as they are.
 */
export function readEnvFile(text: string): Readonly<Record<string, string>> {
  const entries: [string, string][] = [];
  for (const line of text.replace(/^\ufeff/, '').split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)$/.exec(line);
    if (match !== null) entries.push([match[1]!, unquotedValue(match[2]!)]);
  }
  return Object.fromEntries(entries);
}

function unquotedValue(written: string): string {
  const single = /^'([^']*)'/.exec(written);
  if (single !== null) return single[1]!;
  const double = /^"((?:\\.|[^"\\])*)"/.exec(written);
  if (double !== null) return double[1]!.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  return written.replace(/(?:^|\s+)#.*$/, '').trim();
}
