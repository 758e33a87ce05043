// Runs before any dependency exists: plain Node, nothing imported but its own modules.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Installs the dependencies as the lockfile has them, unless they are there already. Exits where that fails. */
export function ensureDependencies() {
  if (installedAsLocked()) return;
  console.log('Installing the dependencies (npm ci) …');
  const ran = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (ran.status !== 0) {
    console.error('The dependencies could not be installed: see above.');
    process.exit(2);
  }
}

/** Whether node_modules holds what the lockfile names. Optional packages are for other platforms. */
function installedAsLocked() {
  const installed = `${root}/node_modules/.package-lock.json`;
  if (!existsSync(installed)) return false;
  const packages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const there = packages(installed);
  return Object.entries(packages(`${root}/package-lock.json`)).every(
    ([path, { version, optional }]) => path === '' || optional === true || there[path]?.version === version,
  );
}
