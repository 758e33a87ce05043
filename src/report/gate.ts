import type { GateRow } from '../dossier/schema.ts';
import { inert } from '../untrusted/text.ts';
import { code, table } from './markdown.ts';

/** A row of the gate as people see it. */
export interface ShownRow extends GateRow {
  /** What holds where it passes. */
  readonly asks: string;
}

const marks: Readonly<Record<GateRow['verdict'], readonly [summary: string, log: string]>> = {
  pass: ['✅', 'ok  '],
  'n/a': ['➖', 'n/a '],
  temporary: ['⏳', 'WAIT'],
  unknown: ['❔', '?   '],
  permanent: ['⛔', 'NO  '],
};

const isOpen = ({ verdict }: GateRow): boolean => verdict !== 'pass' && verdict !== 'n/a';

/** Versions, tags and places are other people's words. */
const oneLine = (text: string): string => inert(text).replace(/\s+/g, ' ').trim();

/** The gate for the log: every condition on a line, those that do not hold with their code and what to do. */
export function gateLines(rows: readonly ShownRow[]): string[] {
  return rows.flatMap((row) => {
    const [found, remedy] = [oneLine(row.found), oneLine(row.remedy)];
    const line = `${marks[row.verdict][1]}  ${row.asks}${found === '' ? '' : ` (${found})`}`;
    if (!isOpen(row)) return [line];
    return [`${line}  ${row.code}`, ...(remedy === '' ? [] : [`      → ${remedy}`])];
  });
}

/** The gate for the summary: what does not hold first, with what to do; the rest folded away. */
export function gateTable(rows: readonly ShownRow[]): string {
  const open = rows.filter(isOpen);
  const held = rows.filter((row) => !isOpen(row));
  const cells = (row: ShownRow): string[] => [
    marks[row.verdict][0],
    row.asks,
    code(row.code),
    code(row.found),
  ];
  const parts: string[] = [];
  if (open.length > 0) {
    parts.push(
      table(
        ['', 'Condition', 'Code', 'Found', 'What to do'],
        open.map((row) => [...cells(row), code(row.remedy)]),
      ),
      '',
    );
  }
  if (held.length > 0) {
    const passed = held.filter(({ verdict }) => verdict === 'pass').length;
    const title = `${passed} of ${rows.length} conditions hold; not applicable: ${held.length - passed}`;
    parts.push(
      `<details><summary>${title}</summary>`,
      '',
      table(['', 'Condition', 'Code', 'Found'], held.map(cells)),
      '',
      '</details>',
    );
  }
  return parts.join('\n');
}

/** The gate in the contract's shape, for the output and the dossier. */
export function gateRows({ rows }: { readonly rows: readonly GateRow[] }): GateRow[] {
  return rows.map(({ code: name, verdict, found, remedy }) => ({ code: name, verdict, found, remedy }));
}
