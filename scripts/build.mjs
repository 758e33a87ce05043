// Bundles src/index.ts into dist/: one small entrypoint and the chunks it loads when needed; fails where they are too
// large. `--out FOLDER` builds elsewhere. `--check` builds into a folder of its own and compares every file, so that an
// untracked or a missing file is found too.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { licences } from './licences.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

// Every job that uses the action downloads it, and every start reads the entrypoint.
const mostBytes = 1_200_000;
const mostEntryBytes = 60_000;

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
  '@octokit/plugin-rest-endpoint-methods': bundled('no-endpoint-methods'),
  debug: bundled('silent'),
  'decode-named-character-reference': bundled('character-references'),
  // The build for browsers has the same code as ES modules, from which esbuild drops what nothing uses.
  yaml: fileURLToPath(new URL('../node_modules/yaml/browser/dist/index.js', import.meta.url)),
  // A copy of Node's streams for other runtimes.
  'readable-stream': 'node:stream',
};

// CommonJS packages in an ESM bundle ask for Node's own modules by require().
const banner =
  "import{createRequire as __kgRequire}from'node:module';import{fileURLToPath as __kgPath}from'node:url';const require=__kgRequire(import.meta.url),__filename=__kgPath(import.meta.url),__dirname=__kgPath(new URL('.',import.meta.url));";

const options = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  minify: true,
  legalComments: 'none',
  charset: 'utf8',
  define: { KNOWNGOOD_VERSION: JSON.stringify(version) },
  alias: aliases,
  metafile: true,
  write: false,
  logLevel: 'warning',
};

/**
 * Builds the entrypoint, which is one file whatever it shares with others, and everything else in chunks.
 * @param {string} outdir
 */
export async function bundle(outdir) {
  const entry = await build({
    ...options,
    entryPoints: { index: 'src/index.ts' },
    outdir,
    plugins: [
      {
        name: 'main-apart',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.\/main\.ts$/ }, () => ({ path: './chunks/main.js', external: true })),
      },
    ],
  });
  const chunks = await build({
    ...options,
    plugins: [
      {
        name: 'no-session',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.\/session$/ }, ({ importer }) =>
            importer.includes('/node_modules/dockerode/') ? { path: bundled('no-session') } : undefined,
          ),
      },
    ],
    entryPoints: { main: 'src/main.ts' },
    outdir: join(outdir, 'chunks'),
    splitting: true,
    chunkNames: '[name]-[hash]',
    banner: { js: banner },
  });
  mkdirSync(join(outdir, 'chunks'), { recursive: true });
  for (const { path, text } of [...entry.outputFiles, ...chunks.outputFiles]) {
    const code = text.replace(banner, '');
    // Most files hold no CommonJS; the banner is a quarter of the small ones, and costs time at the start.
    writeFileSync(path, /(?<![.\w$])(require|__filename|__dirname)\b/.test(code) ? text : code);
  }
  return {
    inputs: { ...entry.metafile.inputs, ...chunks.metafile.inputs },
    outputs: { ...entry.metafile.outputs, ...chunks.metafile.outputs },
  };
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

/** @param {string} outdir */
async function write(outdir) {
  rmSync(outdir, { recursive: true, force: true });
  const metafile = await bundle(outdir);
  writeFileSync(join(outdir, 'licenses.txt'), licences(metafile));
  // Node reads it where the action is used without our package.json above it, as in the plugin image.
  writeFileSync(join(outdir, 'package.json'), '{ "type": "module" }\n');
  return metafile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const dist = join(root, 'dist');
  const { out, check } = parseArgs({
    options: { out: { type: 'string' }, check: { type: 'boolean' } },
  }).values;
  if (check) {
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
    const outdir = out === undefined ? dist : resolve(out);
    const metafile = await write(outdir);
    const total = [...contents(outdir).keys()].reduce(
      (sum, name) => sum + readFileSync(join(outdir, name)).length,
      0,
    );
    const entry = Object.values(metafile.outputs).find(
      ({ entryPoint }) => entryPoint === 'src/index.ts',
    ).bytes;
    console.log(`dist: ${(total / 1e6).toFixed(2)} MB, entrypoint ${(entry / 1e3).toFixed(1)} kB`);
    if (total > mostBytes || entry > mostEntryBytes) {
      console.error(
        `That is more than ${mostBytes / 1e6} MB, or ${mostEntryBytes / 1e3} kB for the entrypoint.`,
      );
      process.exitCode = 1;
    }
  }
}
