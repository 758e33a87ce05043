// Run after `npm install`, where the registry in use has no packages for other platforms: npm then leaves these
// out of the lockfile, which `npm ci` refuses everywhere. They are written in with their exact version and the
// platform that their names tell; npm skips them where they do not fit.
// `--check`: only says whether something is missing.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {}, dev }]) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => !resolves(path, name))
    .map(([name, version]) => ({ name, version, dev })),
);
if (process.argv.includes('--check')) {
  const names = missing.map(({ name }) => name).join(', ');
  if (missing.length > 0)
    console.error(`package-lock.json lacks ${names}: run node scripts/complete-lockfile.mjs`);
  process.exit(missing.length > 0 ? 1 : 0);
}
for (const { name, version, dev } of missing) {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`${name}: ${version} is not an exact version`);
  lock.packages[`node_modules/${name}`] = {
    version,
    ...platform(name),
    ...(dev ? { dev } : {}),
    optional: true,
  };
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${missing.length} packages for other platforms added`);

/** Whether the package at `path` finds `name` in its own node_modules or in one above. */
function resolves(path, name) {
  for (let at = path; ; at = at.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (`${at ? `${at}/` : ''}node_modules/${name}` in lock.packages) return true;
    if (at === '') return false;
  }
}

/** `@rollup/rollup-linux-arm64-musl` → os, cpu and libc. */
function platform(name) {
  const systems = /\b(android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32|aix)\b/;
  const processors = /\b(arm64|arm|x64|ia32|loong64|ppc64|riscv64|s390x|mips64el)\b/;
  const [os, cpu] = [systems.exec(name)?.[1], processors.exec(name)?.[1]];
  if (!os || !cpu) throw new Error(`${name} does not tell its platform`);
  const libc = os === 'linux' && (/musl/.test(name) ? 'musl' : /gnu/.test(name) ? 'glibc' : undefined);
  return { cpu: [cpu], os: [os], ...(libc ? { libc: [libc] } : {}) };
}
