import { join } from 'node:path';
import { build } from 'esbuild';

/** Bundles run-child.ts into one file that any supported Node runs. */
export async function bundleChild(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'run-child.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Optional parts of dockerode's SSH transport, which is not used.
    external: ['cpu-features', '*.node'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); const __dirname = import.meta.dirname;",
    },
    logLevel: 'error',
  });
}
