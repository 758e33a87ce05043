import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Who runs a test, in a form that another process on the same machine can judge: boot, pid namespace, pid and the
 * pid's start time. A container that runs us is named too, for the engine can say whether it is still there.
 * Linux only; elsewhere it is empty and a killed run is found by its deadline.
 */
export function thisOwner(container?: string): string {
  const start = startOf(process.pid);
  const boot = quiet(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const space = quiet(() => readlinkSync('/proc/self/ns/pid').replace(/\D/g, ''));
  if (start === undefined || boot === undefined || space === undefined)
    return container === undefined ? '' : `c.${container}`;
  const process_ = `p.${boot}.${space}.${process.pid}.${start}`;
  return container === undefined ? process_ : `${process_}.c.${container}`;
}

export type Liveness = 'alive' | 'dead' | 'unknown';

/** Whether the owner still runs, as far as this process can see. Another machine's is `unknown`. */
export function livenessOf(owner: string): Liveness {
  const match = /^p\.([0-9a-f-]+)\.(\d+)\.(\d+)\.(\d+)/.exec(owner);
  if (match === null) return 'unknown';
  const [, boot, space, pid, start] = match;
  const here = /^p\.([0-9a-f-]+)\.(\d+)\./.exec(thisOwner());
  if (here === null) return 'unknown';
  if (here[1] !== boot || here[2] !== space) return 'unknown';
  return startOf(Number(pid)) === start ? 'alive' : 'dead';
}

/** The container that the owner runs in, if it said so. */
export function ownerContainer(owner: string): string | undefined {
  return /(?:^|\.)c\.([0-9a-f]{12,64})$/.exec(owner)?.[1];
}

/** Field 22 of /proc/<pid>/stat: a pid that was given to another process has another one. A zombie is dead. */
function startOf(pid: number): string | undefined {
  const stat = quiet(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

function quiet<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
