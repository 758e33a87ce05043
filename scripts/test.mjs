// `npm test`: sets up what is missing, checks and tests everything, and says at the end how it went.
// The last line is always `N passed, N failed, N skipped`; a check counts as one test.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDependencies } from './dependencies.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const results = join(root, '.sandbox/results');
ensureDependencies();
mkdirSync(results, { recursive: true });

const bin = (name) => join(root, 'node_modules/.bin', name);
const checks = [
  ['lint', [bin('biome'), 'check', '.']],
  ['types', [bin('tsc'), '--noEmit']],
  ['lockfile', [process.execPath, join(root, 'scripts/complete-lockfile.mjs'), '--check']],
  ['generated files', [process.execPath, join(root, 'scripts/generate.mjs'), '--check']],
  ['dist', [process.execPath, join(root, 'scripts/build.mjs'), '--check']],
];

const rows = [];
for (const [name, argv] of checks) {
  if (argv[0] === process.execPath && !existsSync(argv[1])) {
    rows.push({
      name,
      passed: 0,
      failed: 0,
      skipped: 1,
      seconds: 0,
      note: `no ${argv[1].slice(root.length)}`,
    });
    continue;
  }
  const { status, seconds } = run(name, argv);
  rows.push({ name, passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0, seconds });
}
for (const project of ['unit', 'integration', 'hosts']) {
  const file = join(results, `${project}.json`);
  rmSync(file, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const { status, seconds } = run(project, [bin('vitest'), 'run', '--project', project, ...reporters]);
  rows.push({ name: project, ...counted(file, status), seconds });
}

console.log('');
for (const { name, passed, failed, skipped, seconds, note } of rows) {
  const words = [`${passed} passed`, failed && `${failed} failed`, skipped && `${skipped} skipped`, note];
  const mark = failed > 0 ? '✗' : '✓';
  console.log(`${mark} ${name.padEnd(16)} ${words.filter(Boolean).join(', ')} (${seconds.toFixed(1)} s)`);
}
const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
process.exitCode = sum('failed') === 0 ? 0 : 1;

function run(name, argv) {
  console.log(`\n── ${name}`);
  const started = Date.now();
  const { status } = spawnSync(argv[0], argv.slice(1), { cwd: root, stdio: 'inherit' });
  return { status, seconds: (Date.now() - started) / 1000 };
}

/** A file that could not be loaded holds no test, and a run that broke may hold no failure: each counts as one. */
function counted(file, status) {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0, note: 'it did not come to an end' };
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const unloaded = report.testResults.filter(
    ({ status: how, assertionResults }) =>
      how === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + unloaded;
  const skipped = report.numPendingTests + report.numTodoTests;
  return { passed: report.numPassedTests, failed: failed || (status === 0 ? 0 : 1), skipped };
}
