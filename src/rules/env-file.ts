/**
 * An env-file: `NAME=value` lines, `#` comments, an optional `export`, values bare or in quotes. Nothing is
 * expanded, so that a value means the same wherever it is read. Lines that are none of this are left out.
 */
export function parseEnvFile(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(line);
    if (match === null) continue;
    const [, name = '', rest = ''] = match;
    Object.defineProperty(values, name, {
      value: unquoted(rest),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return values;
}

function unquoted(written: string): string {
  const single = /^'([^']*)'\s*(?:#.*)?$/.exec(written);
  if (single !== null) return single[1] ?? '';
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(written);
  if (double !== null)
    return (double[1] ?? '').replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  return written.replace(/\s+#.*$/, '').trim();
}
