import { readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { asRoot, command, tryCommand } from './command.ts';
import type { Run } from './run.ts';

/** A bridge of the sandbox's own and 10.N.0.0/16, from which all of its engine's networks come. */
export interface AddressBlock {
  readonly bridge: string;
  readonly gateway: string;
  /** For networks that are made later: `default-address-pools` of the engine. */
  readonly pool: { readonly base: string; readonly size: number };
}

/**
 * Makes the bridge. Its name is also the lock: the kernel gives `kg<N>` to one process only, whichever checkout it
 * belongs to. The host's docker0 is left alone; an engine told to use no bridge would delete it.
 */
export async function takeAddressBlock(
  run: Run,
  path: Readonly<Record<string, string>>,
): Promise<AddressBlock> {
  const used = usedBlocks();
  for (let n = 200; n < 250; n++) {
    if (used.has(n)) continue;
    const bridge = `kg${n}`;
    const made = await tryCommand(asRoot(['ip', 'link', 'add', bridge, 'type', 'bridge'], path));
    if (made.code !== 0) {
      if (/exists/i.test(made.stderr)) continue;
      throw new Error(`a bridge could not be made (${made.stderr.trim()})`);
    }
    writeFileSync(join(run.folder, 'bridge'), `${bridge} 10.${n}\n`);
    const gateway = `10.${n}.0.1`;
    await command(asRoot(['ip', 'addr', 'add', `${gateway}/24`, 'dev', bridge], path));
    await command(asRoot(['ip', 'link', 'set', bridge, 'up'], path));
    return { bridge, gateway, pool: { base: `10.${n}.128.0/17`, size: 24 } };
  }
  throw new Error('no address block 10.200.0.0/16 to 10.249.0.0/16 is free for a sandbox');
}

/** The N of every 10.N.… that an address or a route of this machine uses. */
function usedBlocks(): Set<number> {
  const used = new Set<number>();
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address } of addresses ?? []) note(address.split('.').map(Number));
  }
  const routes = readFileSync('/proc/net/route', 'utf8').trim().split('\n').slice(1);
  for (const route of routes) {
    const little = Buffer.from(route.split('\t')[1] ?? '', 'hex');
    note([...little].reverse());
  }
  return used;

  function note(bytes: readonly number[]): void {
    if (bytes[0] === 10) used.add(bytes[1] ?? 0);
  }
}
