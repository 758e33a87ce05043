import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../../../sandbox/command.ts';
import { libraryFolders } from '../../../sandbox/engine-programs.ts';
import type { Entry } from '../../../sandbox/image.ts';
import { distributionPackages } from '../../../sandbox/packages.ts';

/** Real servers out of Debian's packages: what the recipes of these tests run. */
export type Server = 'sqlite' | 'lighttpd' | 'redis' | 'postgres';

interface Parts {
  readonly packages: readonly string[];
  readonly programs: readonly string[];
  /** Folders that go along whole, but for what `skip` names. */
  readonly folders: readonly string[];
}

const parts: Readonly<Record<Server, Parts>> = {
  sqlite: { packages: ['sqlite3'], programs: ['usr/bin/sqlite3'], folders: [] },
  lighttpd: { packages: ['lighttpd'], programs: ['usr/sbin/lighttpd'], folders: ['usr/lib/lighttpd'] },
  redis: {
    packages: ['redis-server', 'redis-tools'],
    programs: ['usr/bin/redis-server', 'usr/bin/redis-cli'],
    folders: [],
  },
  postgres: {
    packages: ['postgresql-15', 'postgresql-client-15'],
    programs: ['postgres', 'initdb', 'psql', 'pg_isready'].map((name) => `usr/lib/postgresql/15/bin/${name}`),
    folders: ['usr/lib/postgresql/15/lib', 'usr/share/postgresql/15'],
  },
};

/** Just-in-time compilation and translations: hundreds of megabytes that no test needs. */
const skip = /llvmjit|\/bitcode$|\/man$|\/locale$/;

/** The files of a server, its libraries among them, as entries of a layer. */
export async function serverLayer(server: Server): Promise<Entry[]> {
  const { packages, programs, folders } = parts[server];
  const { root } = await distributionPackages(`recipes-${server}`, packages);
  const files = new Map<string, Entry>();
  const add = (path: string, from: string, mode = 0o755): void => {
    files.set(path, { path, from, mode });
  };
  for (const path of programs) add(path, join(root, path));
  for (const folder of folders) for (const path of filesIn(root, folder)) add(path, join(root, path));
  const binaries = [...files.keys()].filter((path) => programs.includes(path) || /\.so(?:\.|$)/.test(path));
  const env = { PATH: process.env.PATH, LC_ALL: 'C', LD_LIBRARY_PATH: libraryFolders(root).join(':') };
  const shown = await command(['ldd', ...binaries.map((path) => join(root, path))], { env });
  for (const [, found = ''] of shown.matchAll(/(\/\S+) \(0x/g)) {
    // What a package of ours brought stands in the image where the distribution has it.
    const path = found.startsWith(`${root}/`) ? found.slice(root.length + 1) : found.slice(1);
    add(path, realpathSync(found));
  }
  return [...files.values()];
}

function filesIn(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (skip.test(path)) return [];
    return entry.isDirectory() ? filesIn(root, path) : [path];
  });
}
