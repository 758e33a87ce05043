import { fileURLToPath } from 'node:url';
import { type Comparison, comparison, program, sideBySide } from './measure.ts';

const entry = fileURLToPath(new URL('../dist/index.js', import.meta.url));

/** Start-up of the bundle beside that of Node itself. */
export async function bench(): Promise<Comparison[]> {
  // An extra certificate file is read by Node 20 at every start, and hides the difference.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const [ours, theirs] = await sideBySide(
    15,
    () => program(process.execPath, [entry, '--help'], env),
    () => program(process.execPath, ['-e', '0'], env),
  );
  return [comparison('start-up: --help beside node -e 0', ours, theirs, 1.5)];
}
