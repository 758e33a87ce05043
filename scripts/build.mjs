// Bundles src/main.ts into dist/: one small entrypoint and the chunks it loads when needed. `--check` builds into a
// folder of its own and compares every file, so that an untracked or a missing file is found too.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

// dockerode brings ssh2, gRPC and protobufjs for ssh:// hosts and BuildKit sessions. We use neither (a session hands
// its credential to any host that asks), and ssh2 alone is 600 kB with native addons.
// tar-fs would pack a build context; we pack it ourselves, because its ignore rules leak files.
// @actions/core brings an HTTP client, and with it undici (270 kB), for OIDC tokens, and a way to run programs for
// details of the platform. We take its outputs and summary; everything we fetch goes through src/http.
const unused = [
  ...['ssh2', 'cpu-features', '@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs', 'tar-fs'],
  ...['@actions/http-client', '@actions/http-client/lib/auth', '@actions/exec'],
];
const bundled = (name) => fileURLToPath(new URL(`./bundled/${name}.cjs`, import.meta.url));
const aliases = {
  ...Object.fromEntries(unused.map((name) => [name, bundled('unused-module')])),
  'decode-named-character-reference': bundled('character-references'),
  // The build for browsers has the same code as ES modules, from which esbuild drops what nothing uses.
  yaml: fileURLToPath(new URL('../node_modules/yaml/browser/dist/index.js', import.meta.url)),
  // A copy of Node's streams for other runtimes.
  'readable-stream': 'node:stream',
};

/** @param {string} outdir */
export async function bundle(outdir) {
  return build({
    absWorkingDir: root,
    entryPoints: { index: 'src/main.ts' },
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    minify: true,
    keepNames: false,
    legalComments: 'none',
    chunkNames: 'chunks/[name]-[hash]',
    define: { KNOWNGOOD_VERSION: JSON.stringify(version) },
    alias: aliases,
    // CommonJS packages in an ESM bundle ask for Node's own modules by require().
    banner: {
      js: "import{createRequire as __kgRequire}from'node:module';import{fileURLToPath as __kgPath}from'node:url';const require=__kgRequire(import.meta.url),__filename=__kgPath(import.meta.url),__dirname=__kgPath(new URL('.',import.meta.url));",
    },
    metafile: true,
    logLevel: 'warning',
  });
}

/** Relative path → sha256 of every file below a folder. @param {string} folder */
function contents(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    files.set(path.slice(folder.length + 1), createHash('sha256').update(readFileSync(path)).digest('hex'));
  }
  return files;
}

/** esbuild says which package each byte came from: their licences go beside the code. @param {import('esbuild').Metafile} metafile */
function licences(metafile) {
  const folders = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) folders.add(match[1]);
  }
  // Most packages carry the very same text: it is there once, under all their names.
  const texts = new Map();
  for (const folder of [...folders].sort()) {
    const pack = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((name) => /^licen[cs]e/i.test(name));
    const text = file ? readFileSync(join(root, folder, file), 'utf8').trim() : '';
    const name = `${pack.name} ${pack.version} (${pack.license ?? 'see text'})`;
    texts.set(text, [...(texts.get(text) ?? []), name]);
  }
  const rule = '-'.repeat(80);
  return [...texts].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`).join(`\n${rule}\n\n`);
}

/** @param {string} outdir */
async function write(outdir) {
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await bundle(outdir);
  writeFileSync(join(outdir, 'licenses.txt'), licences(metafile));
  // Node reads it where the action is used without our package.json above it, as in the plugin image.
  writeFileSync(join(outdir, 'package.json'), '{ "type": "module" }\n');
  return metafile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const dist = join(root, 'dist');
  if (process.argv.includes('--check')) {
    const fresh = mkdtempSync(join(tmpdir(), 'knowngood-dist-'));
    try {
      await write(fresh);
      const [want, have] = [contents(fresh), contents(dist)];
      const names = [...new Set([...want.keys(), ...have.keys()])].filter(
        (name) => want.get(name) !== have.get(name),
      );
      if (names.length > 0) {
        console.error(`dist is not what the source makes; run \`npm run build\`:\n  ${names.join('\n  ')}`);
        process.exitCode = 1;
      }
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  } else {
    const metafile = await write(dist);
    const total = [...contents(dist).keys()].reduce(
      (sum, name) => sum + readFileSync(join(dist, name)).length,
      0,
    );
    const entry = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === 'src/main.ts');
    console.log(`dist: ${(total / 1e6).toFixed(2)} MB, entrypoint ${(entry[1].bytes / 1e3).toFixed(1)} kB`);
  }
}
