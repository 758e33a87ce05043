import { sandbox, shareSandbox } from '../../sandbox/index.ts';
import { fetchPrograms } from './programs.ts';

/** The programs of the hosts first, since building them takes minutes once; then one sandbox for all files. */
export async function setup(): Promise<() => Promise<void>> {
  for (const sentence of await fetchPrograms()) process.stdout.write(`hosts: left out: ${sentence}\n`);
  const box = await sandbox();
  shareSandbox(box);
  return () => box.stop();
}
