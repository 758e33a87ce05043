import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildContext } from '../src/recipe/files.ts';
import { hashTree } from '../src/recipe/tree.ts';
import { type Comparison, comparison, program, sideBySide } from './measure.ts';

/** The recipe's context tree beside `sha256sum` of the same files, which only reads and hashes. */
export async function bench(): Promise<Comparison[]> {
  const rows: Comparison[] = [];
  for (const [name, files, bytes] of [
    ['300 MB in 6,000 files', 6_000, 50 * 1024],
    ['600 MB in 6 files', 6, 100 * 1024 * 1024],
    ['40 MB in 20,000 files', 20_000, 2 * 1024],
  ] as const) {
    const folder = mkdtempSync(join(tmpdir(), 'knowngood-recipe-'));
    try {
      for (let index = 0; index < files; index++) {
        const parent = join(folder, `part${index % 20}`);
        if (index < 20) mkdirSync(parent);
        writeFileSync(join(parent, `file${index}`), randomBytes(bytes));
      }
      writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
      const [ours, theirs] = await sideBySide(
        5,
        async () => hashTree(await buildContext(folder, 'Dockerfile')),
        () => program('sh', ['-c', 'find . -type f -print0 | xargs -0 sha256sum'], process.env, folder),
      );
      rows.push(comparison(`recipe digest beside sha256sum (${name})`, ours, theirs, 1.2));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return rows;
}
