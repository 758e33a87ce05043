// Runs a TypeScript file of this repository: `node scripts/run.mjs demo/demo.ts [arguments]`. Node 20 reads no
// TypeScript, so the file is bundled first, packages left where they are.
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureDependencies } from './dependencies.mjs';

ensureDependencies();
const { build } = await import('esbuild');

const root = fileURLToPath(new URL('..', import.meta.url));
const [file = '', ...rest] = process.argv.slice(2);
// Inside node_modules, so that the packages resolve.
const folder = mkdtempSync(join(root, 'node_modules', '.run-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const outfile = join(folder, 'run.mjs');
await build({
  absWorkingDir: root,
  entryPoints: [file],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  sourcemap: 'inline',
  plugins: [
    {
      name: 'original-url',
      setup(setup) {
        setup.onLoad({ filter: /\.ts$/, namespace: 'file' }, async ({ path }) => {
          const { readFileSync } = await import('node:fs');
          const source = readFileSync(path, 'utf8').replaceAll(
            'import.meta.url',
            JSON.stringify(pathToFileURL(path).href),
          );
          return { contents: source, loader: 'ts' };
        });
      },
    },
  ],
  logLevel: 'warning',
});
process.argv = [process.argv[0], resolve(root, file), ...rest];
await import(pathToFileURL(outfile).href);
