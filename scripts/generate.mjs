// Writes every file that is made from src/settings and src/reasons; `--check` says which are not up to date.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

// Node 20 reads no TypeScript, so the generators are bundled first; beside node_modules, where packages resolve.
const scratch = mkdtempSync(join(root, 'node_modules', '.generate-'));
try {
  const outfile = join(scratch, 'faces.mjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['src/settings/faces/faces.ts'],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  const { faces } = await import(pathToFileURL(outfile).href);
  const stale = [];
  for (const [path, content] of Object.entries(await faces(description))) {
    const file = join(root, path);
    if (existsSync(file) && readFileSync(file, 'utf8') === content) continue;
    stale.push(path);
    if (process.argv.includes('--check')) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  if (process.argv.includes('--check')) {
    if (stale.length > 0) {
      console.error(`not up to date; run \`npm run generate\`:\n  ${stale.join('\n  ')}`);
      process.exitCode = 1;
    }
  } else console.log(stale.length === 0 ? 'all up to date' : `wrote ${stale.join(', ')}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
