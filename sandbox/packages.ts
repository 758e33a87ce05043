import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, tryCommand } from './command.ts';
import { withLock } from './lock.ts';
import { sandboxFolder } from './paths.ts';

/** A folder with unpacked packages, as they would lie under `/`, and the versions that were taken. */
export interface Unpacked {
  readonly root: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Distribution and release of this machine as in os-release: `{ id: 'debian', codename: 'bookworm' }`. */
export function distribution(): { id: string; like: string; codename: string } {
  const file = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(file)?.[1] ?? '';
  return { id: field('ID'), like: field('ID_LIKE'), codename: field('VERSION_CODENAME') };
}

/** Whether packages of the distribution can be fetched here at all. */
export async function hasApt(): Promise<boolean> {
  const { id, like } = distribution();
  if (!/\b(debian|ubuntu)\b/.test(`${id} ${like}`)) return false;
  return (await tryCommand(['apt-get', '--version'])).code === 0;
}

/**
 * The named packages of the distribution and whatever they need that the machine has not, unpacked together
 * below `.sandbox/packages`. Nothing is installed: apt works with lists, cache and configuration of our own.
 * Fetched once; processes that ask at the same time wait for the first.
 */
export async function distributionPackages(set: string, names: readonly string[]): Promise<Unpacked> {
  return unpackedOnce(`${distribution().codename || 'system'}/${set}`, async (folder) => {
    const apt = await systemApt();
    // Simulating tells the closure of what is missing; conflicts with installed packages do not matter to us.
    const plan = await command([...apt, '-s', 'install', '--no-install-recommends', ...names], aptEnv());
    const wanted = [...plan.matchAll(/^Inst (\S+) (?:\[[^\]]*\] )?\((\S+)/gm)].map(
      (m) => [m[1]!, m[2]!] as const,
    );
    // What the machine has installed already is wanted in the folder too, so that every path is known.
    for (const name of names) {
      if (!wanted.some(([found]) => found === name)) wanted.push([name, '']);
    }
    return downloadAndUnpack(apt, wanted, folder);
  });
}

/** Makes `.sandbox/packages/<key>` once, for all processes; a half-made folder is never seen. */
export async function unpackedOnce(
  key: string,
  make: (folder: string) => Promise<Record<string, string>>,
): Promise<Unpacked> {
  const root = join(sandboxFolder, 'packages', key);
  const note = join(root, '.versions.json');
  if (!existsSync(note)) {
    await withLock(join(sandboxFolder, 'locks', `${key.replaceAll('/', '-')}.lock`), async () => {
      if (existsSync(note)) return;
      const fresh = `${root}.making`;
      rmSync(fresh, { recursive: true, force: true });
      rmSync(root, { recursive: true, force: true });
      mkdirSync(fresh, { recursive: true });
      const versions = await make(fresh);
      writeFileSync(join(fresh, '.versions.json'), `${JSON.stringify(versions, null, 2)}\n`);
      renameSync(fresh, root);
    });
  }
  return { root, versions: JSON.parse(readFileSync(note, 'utf8')) as Record<string, string> };
}

/** Downloads packages (a version of '' is the newest) and unpacks them over each other into one folder. */
export async function downloadAndUnpack(
  apt: readonly string[],
  wanted: readonly (readonly [name: string, version: string])[],
  folder: string,
): Promise<Record<string, string>> {
  const debs = `${folder}.debs`;
  rmSync(debs, { recursive: true, force: true });
  mkdirSync(debs, { recursive: true });
  const names = wanted.map(([name, version]) => (version === '' ? name : `${name}=${version}`));
  await command([...apt, 'download', ...names], { ...aptEnv(), cwd: debs });
  const files = (await command(['ls', debs])).trim().split('\n');
  const versions: Record<string, string> = {};
  for (const file of files) {
    const path = join(debs, file);
    await command(['dpkg', '-x', path, folder]);
    const [name, version] = (
      await command(['dpkg-deb', '-W', `--showformat=\${Package}\t\${Version}`, path])
    ).split('\t');
    versions[name!] = version!;
  }
  rmSync(debs, { recursive: true, force: true });
  return versions;
}

const aptEnv = () => ({ env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' } });

/** apt-get over the machine's own sources, with lists of our own; refreshed when older than a day. */
function systemApt(): Promise<string[]> {
  return aptFor('system', []);
}

/**
 * An apt-get that reads and writes nothing of the system's but its sources and, to know what is installed,
 * dpkg's status. The machine's proxy settings are kept; its hooks are not, as they would touch the system.
 */
export async function aptFor(name: string, settings: readonly string[]): Promise<string[]> {
  const folder = join(sandboxFolder, 'apt', name);
  const config = join(folder, 'apt.conf');
  const apt = ['env', `APT_CONFIG=${config}`, 'apt-get', '-q', '-y'];
  await withLock(join(sandboxFolder, 'locks', `apt-${name}.lock`), async () => {
    if (existsSync(join(folder, 'updated'))) return;
    for (const part of ['lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(folder, part), { recursive: true });
    }
    const dump = (await command(['apt-config', 'dump'], aptEnv())).split('\n');
    const kept = dump.filter(
      (line) => /^Acquire::/.test(line) && !/^Acquire::(Languages|IndexTargets)/.test(line),
    );
    const own = [
      'Dir::Etc::parts "/dev/null";',
      'Dir::Etc::main "/dev/null";',
      `Dir::State::lists "${folder}/lists";`,
      `Dir::Cache "${folder}/cache";`,
      'Debug::NoLocking "1";',
      'Acquire::Languages "none";',
      'Acquire::Retries "3";',
      ...(process.getuid?.() === 0 ? ['APT::Sandbox::User "root";'] : []),
      ...settings,
    ];
    writeFileSync(config, `${[...kept, ...own].join('\n')}\n`);
    // A third-party source that fails must not stop us; a package that is then missing is named by the next command.
    await tryCommand([...apt, 'update'], aptEnv());
    writeFileSync(join(folder, 'updated'), '');
  });
  return apt;
}
