import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Apt, distribution, suiteApt, systemApt } from './apt.ts';
import { command } from './command.ts';
import { withLock } from './lock.ts';
import { sandboxFolder } from './paths.ts';

/** A folder with unpacked packages, as they would lie under `/`, and the versions that were taken. */
export interface Unpacked {
  readonly root: string;
  readonly versions: Readonly<Record<string, string>>;
}

type Wanted = readonly (readonly [name: string, version: string])[];

/**
 * The named packages of the distribution and whatever they need that the machine has not, unpacked together
 * below `.sandbox/packages`; nothing is installed.
 */
export async function distributionPackages(set: string, names: readonly string[]): Promise<Unpacked> {
  return unpackedOnce(`${distribution().codename || 'system'}/${set}`, async (folder) => {
    const apt = await systemApt();
    return freshlyListed(apt, async () => {
      // A simulated installation tells the closure of what is missing. Conflicts with what is installed do not matter.
      const plan = await apt('apt-get', '-s', 'install', '--no-install-recommends', ...names);
      const missing = [...plan.matchAll(/^Inst (\S+) (?:\[[^\]]*\] )?\((\S+)/gm)].map(
        (m) => [m[1]!, m[2]!] as const,
      );
      const installed = names.filter((name) => !missing.some(([found]) => found === name));
      return downloadAndUnpack(apt, [...missing, ...installed.map((name) => [name, ''] as const)], folder);
    });
  });
}

/**
 * Packages of Debian suites other than the machine's own, without what they depend on: for programs that run on
 * the machine's libraries. Suites move: where the version asked for is gone, the nearest one is taken and named
 * on stderr.
 */
export async function suitePackages(
  set: string,
  wanted: readonly { readonly name: string; readonly version: string }[],
  suites: readonly string[],
): Promise<Unpacked> {
  return unpackedOnce(`suites/${set}`, async (folder) => {
    const versions: Record<string, string> = {};
    for (const { name, version } of wanted) {
      const { apt, found } = await nearestVersion(name, version, suites);
      if (upstream(found) !== version) {
        process.stderr.write(`sandbox: ${name} ${version} is not offered any more, using ${found}\n`);
      }
      Object.assign(
        versions,
        await freshlyListed(apt, () => downloadAndUnpack(apt, [[name, found]], folder)),
      );
    }
    return versions;
  });
}

/** Makes `.sandbox/packages/<key>` once, whichever process asks first; a half-made folder is never seen. */
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

/** `1:28.5.2+dfsg4-5` → `28.5.2` */
export const upstream = (version: string): string =>
  /^(?:\d+:)?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? version;

async function nearestVersion(
  name: string,
  version: string,
  suites: readonly string[],
): Promise<{ apt: Apt; found: string }> {
  const offers: { apt: Apt; found: string }[] = [];
  for (const suite of suites) {
    const apt = await suiteApt(suite);
    for (const line of (await apt('apt-cache', 'madison', name)).split('\n')) {
      const found = line.split('|')[1]?.trim() ?? '';
      if (found !== '') offers.push({ apt, found });
    }
    const exact = offers.find(({ found }) => upstream(found) === version);
    if (exact) return exact;
  }
  const choice = nearest(
    version,
    offers.map(({ found }) => found),
  );
  const chosen = offers.find(({ found }) => found === choice);
  if (!chosen) throw new Error(`${name} is in none of the suites ${suites.join(', ')}`);
  return chosen;
}

/** Of the versions offered, the one whose upstream version is nearest to the one wanted: major first, then minor. */
export function nearest(wanted: string, offered: readonly string[]): string | undefined {
  return [...offered].sort((a, b) => distance(a, wanted) - distance(b, wanted))[0];
}

function distance(a: string, b: string): number {
  const numbers = (version: string) => upstream(version).split('.').map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  return [1e8, 1e4, 1].reduce(
    (sum, weight, n) => sum + weight * Math.abs((left[n] ?? 0) - (right[n] ?? 0)),
    0,
  );
}

/** Runs `body`, and once more with fresh lists where it fails. */
async function freshlyListed<T>(apt: Apt, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch {
    await apt.refresh();
    return body();
  }
}

/** Downloads packages (a version of '' is the newest) and unpacks them over each other into one folder. */
async function downloadAndUnpack(apt: Apt, wanted: Wanted, folder: string): Promise<Record<string, string>> {
  const names = wanted.map(([name, version]) => (version === '' ? name : `${name}=${version}`));
  const debs = `${folder}.debs`;
  rmSync(debs, { recursive: true, force: true });
  mkdirSync(debs, { recursive: true });
  await apt.download(debs, names);
  const versions: Record<string, string> = {};
  for (const file of readdirSync(debs)) {
    const path = join(debs, file);
    await command(['dpkg', '-x', path, folder]);
    const shown = await command(['dpkg-deb', '-W', `--showformat=\${Package}\t\${Version}`, path]);
    const [name = '', version = ''] = shown.split('\t');
    versions[name] = version;
  }
  rmSync(debs, { recursive: true, force: true });
  return versions;
}
