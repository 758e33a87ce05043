import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Below everything: these import nothing above themselves. */
const leaves = ['oci', 'outcome', 'reasons', 'untrusted', 'dossier/schema'];

/**
 * The house's doors: which room may import which, besides itself and the leaves. ARCHITECTURE.md draws the same
 * picture. Types are free: the bundler's graph, which this test reads, does not have them.
 */
const doors: Readonly<Record<string, readonly string[]>> = {
  index: ['main', 'settings'],
  main: ['hosts', 'settings', 'line', 'report'],
  line: ['steps', 'tools', 'settings', 'dossier', 'report', 'rules'],
  tools: [
    'settings',
    'candidate',
    'recipe',
    'http',
    'registry',
    'engine',
    'harness',
    'provenance',
    'ledger',
    'promotion',
    'forge',
    'git',
    'pins',
    'rules',
  ],
  steps: ['rules', 'dossier', 'report'],
  report: [],
  rules: [],
  settings: [],
  hosts: ['settings'],
  dossier: [],
  candidate: ['git', 'settings', 'rules'],
  recipe: [],
  http: [],
  registry: ['http'],
  forge: ['http'],
  git: ['http'],
  provenance: ['http', 'registry'],
  promotion: ['rules'],
  ledger: ['git'],
  engine: [],
  harness: ['engine'],
  pins: ['recipe'],
  oci: [],
  outcome: ['reasons'],
  reasons: [],
  untrusted: [],
};

/** `src/oci/tag.ts` → `oci`, `src/outcome.ts` → `outcome`. */
function roomOf(path: string): string {
  return path
    .replace(/^src\//, '')
    .split('/')[0]!
    .replace(/\.ts$/, '');
}

function isLeaf(path: string): boolean {
  const inside = path.replace(/^src\//, '').replace(/\.ts$/, '');
  return leaves.some((leaf) => inside === leaf || inside.startsWith(`${leaf}/`));
}

async function graph(): Promise<Metafile['inputs']> {
  const { metafile } = await build({
    absWorkingDir: root,
    // Every file, not just what the entry reaches: a room has to keep the rule before anybody uses it.
    entryPoints: readdirSync(new URL('../../../src', import.meta.url), { recursive: true })
      .map(String)
      .filter((path) => path.endsWith('.ts'))
      .map((path) => `src/${path}`),
    bundle: true,
    packages: 'external',
    write: false,
    platform: 'node',
    format: 'esm',
    outdir: 'never-written',
    metafile: true,
    logLevel: 'silent',
  });
  return metafile.inputs;
}

describe('the import rule', () => {
  it('holds for every import of the bundle', async () => {
    const broken: string[] = [];
    for (const [path, { imports }] of Object.entries(await graph())) {
      for (const { path: target, external } of imports) {
        if (external === true || isLeaf(target)) continue;
        const [from, to] = [roomOf(path), roomOf(target)];
        if (from !== to && doors[from]?.includes(to) !== true) broken.push(`${path} → ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('lets no leaf import what stands above it', async () => {
    const above = Object.entries(await graph())
      .filter(([path]) => isLeaf(path))
      .flatMap(([path, { imports }]) =>
        imports.filter((i) => i.external !== true && !isLeaf(i.path)).map((i) => `${path} → ${i.path}`),
      );
    expect(above).toEqual([]);
  });

  it('knows every room', () => {
    const rooms = readdirSync(new URL('../../../src', import.meta.url)).map((name) =>
      name.replace(/\.ts$/, ''),
    );
    expect(rooms.filter((room) => !Object.hasOwn(doors, room))).toEqual([]);
  });
});
