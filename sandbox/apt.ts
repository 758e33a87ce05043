import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, tryCommand } from './command.ts';
import { withLock } from './lock.ts';
import { sandboxFolder } from './paths.ts';

/** One of apt's programs with a configuration of our own: `apt('apt-get', 'update')`. */
export interface Apt {
  (program: 'apt-get' | 'apt-cache', ...args: readonly string[]): Promise<string>;
  /** Downloads packages, `name` or `name=version`, into a folder. */
  download(folder: string, names: readonly string[]): Promise<void>;
  /** Fetches the lists again: a mirror drops versions that its lists named a day ago. */
  refresh(): Promise<void>;
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

/** apt over the machine's own sources; it knows what is installed. */
export const systemApt = (): Promise<Apt> => aptWith('system', []);

/** apt over one Debian suite, from the mirror that the machine itself uses; it takes nothing for installed. */
export async function suiteApt(suite: string): Promise<Apt> {
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const mirror = await debianMirror();
  if (mirror === undefined || !existsSync(keyring)) {
    throw new Error(`programs of Debian's ${suite} can be fetched on Debian only`);
  }
  const sources = join(sandboxFolder, 'apt', suite, 'sources.list');
  return aptWith(
    suite,
    [
      `Dir::Etc::sourcelist "${sources}";`,
      'Dir::Etc::sourceparts "/dev/null";',
      'Dir::State::status "/dev/null";',
    ],
    { file: sources, line: `deb [signed-by=${keyring}] ${mirror} ${suite} main` },
  );
}

/** The address from which the machine takes its own release, as apt knows it. */
async function debianMirror(): Promise<string | undefined> {
  const { id, codename } = distribution();
  if (id !== 'debian') return undefined;
  const apt = await systemApt();
  const format = '$(ORIGIN)\t$(CODENAME)\t$(REPO_URI)';
  const targets = await apt('apt-get', 'indextargets', '--format', format, 'Created-By: Packages');
  const mine = targets.split('\n').map((line) => line.split('\t'));
  return mine.find(([origin, name]) => origin === 'Debian' && name === codename)?.[2];
}

const oneDay = 24 * 60 * 60 * 1000;

/**
 * An apt that writes nothing of the system's and reads of it only sources, keys and dpkg's status. The machine's
 * settings of how to fetch (proxies, certificates) are kept; its hooks are not, as they would act on the system.
 */
async function aptWith(
  name: string,
  settings: readonly string[],
  sources?: { readonly file: string; readonly line: string },
): Promise<Apt> {
  const folder = join(sandboxFolder, 'apt', name);
  const config = join(folder, 'apt.conf');
  const fetched = join(folder, 'fetched');
  const options = {
    env: { ...process.env, APT_CONFIG: config, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
  };
  const lock = join(sandboxFolder, 'locks', `apt-${name}.lock`);

  const prepare = async (): Promise<void> => {
    if (existsSync(fetched) && Date.now() - statSync(fetched).mtimeMs < oneDay) return;
    for (const part of ['lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(folder, part), { recursive: true });
    }
    const { APT_CONFIG: _, ...machine } = options.env;
    const dump = (await command(['apt-config', 'dump'], { env: machine })).split('\n');
    const kept = dump.filter((line) => /^Acquire::(?!Languages|IndexTargets|GzipIndexes)/.test(line));
    const own = [
      'Dir::Etc::parts "/dev/null";',
      'Dir::Etc::main "/dev/null";',
      `Dir::State::lists "${folder}/lists";`,
      `Dir::Cache "${folder}/cache";`,
      'Debug::NoLocking "1";',
      'Acquire::Languages "none";',
      'Acquire::Retries "3";',
      // Whoever runs apt as root would otherwise have it fetch as a user who cannot write here.
      ...(process.getuid?.() === 0 ? ['APT::Sandbox::User "root";'] : []),
      ...settings,
    ];
    if (sources) writeFileSync(sources.file, `${sources.line}\n`);
    writeFileSync(config, `${[...kept, ...own].join('\n')}\n`);
    // A source that fails must not stop us: the package that is then missing is named by the next command.
    await tryCommand(['apt-get', '-q', 'update'], options);
    writeFileSync(fetched, '');
  };

  await withLock(lock, prepare);
  const apt = (program: 'apt-get' | 'apt-cache', ...args: readonly string[]) =>
    command([program, '-q', ...args], options);
  const refresh = () =>
    withLock(lock, async () => {
      rmSync(fetched, { force: true });
      await prepare();
    });
  const download = async (into: string, names: readonly string[]): Promise<void> => {
    await command(['apt-get', '-q', 'download', ...names], { ...options, cwd: into });
  };
  return Object.assign(apt, { refresh, download });
}
