import { fileURLToPath } from 'node:url';
import { type Comparison, comparison, program, sideBySide } from './measure.ts';

const entry = fileURLToPath(new URL('../dist/index.js', import.meta.url));

/** Start-up of the bundle beside that of Node itself. */
export async function bench(): Promise<Comparison[]> {
  // An extra certificate file is read by Node 20 at every start, and hides the difference.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const rows: Comparison[] = [];
  for (const args of [['--help'], ['build-push', '--help']]) {
    const [ours, theirs] = await sideBySide(
      20,
      () => program(process.execPath, [entry, ...args], env),
      () => program(process.execPath, ['-e', '0'], env),
    );
    rows.push(comparison(`start-up: ${args.join(' ')} beside node -e 0`, ours, theirs, 1.5));
  }
  return rows;
}
