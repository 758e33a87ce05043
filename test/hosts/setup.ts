import { sandbox, shareSandbox } from '../../sandbox/index.ts';
import { fetchPrograms } from './programs.ts';
import { alsoAt, hostAddress } from './reachable.ts';

/**
 * The programs of the hosts first, since building them takes minutes once; then one sandbox for all files, whose
 * registry is at the address too at which containers reach this machine.
 */
export async function setup(): Promise<() => Promise<void>> {
  for (const sentence of await fetchPrograms()) process.stdout.write(`hosts: left out: ${sentence}\n`);
  const box = await sandbox();
  shareSandbox(box);
  const address = await hostAddress(box);
  const stop = address === undefined ? undefined : await alsoAt(address, [box.registry.host]);
  return async () => {
    await stop?.();
    await box.stop();
  };
}
