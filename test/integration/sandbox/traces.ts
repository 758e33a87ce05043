import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { basename, dirname, join } from 'node:path';

export const nothing = {
  folder: false,
  sockets: false,
  processes: false,
  mounts: false,
  links: false,
  groups: false,
};

/** What a sandbox has on the machine, to be looked at now and later. */
export function tracesOf(run: string, dockerHost: string) {
  const sockets = dirname(dockerHost.slice('unix://'.length));
  const id = basename(run);
  const [bridge = '', block = ''] = readFileSync(join(run, 'bridge'), 'utf8').trim().split(' ');
  return () => ({
    folder: existsSync(run),
    sockets: existsSync(sockets),
    processes: processes((words) => words.includes(`${sockets}/`)).length > 0,
    mounts: new RegExp(`${run}/|${sockets}/`).test(readFileSync('/proc/self/mounts', 'utf8')),
    links: Object.entries(networkInterfaces()).some(
      ([name, addresses]) =>
        name === bridge || addresses?.some(({ address }) => address.startsWith(`${block}.`)),
    ),
    groups: readdirSync('/sys/fs/cgroup').some(
      (name) => name === id || existsSync(join('/sys/fs/cgroup', name, id)),
    ),
  });
}

/** The processes whose command lines, their words ended by NUL, answer to `test`. */
export function processes(test: (words: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
      } catch {
        return false;
      }
    });
}
