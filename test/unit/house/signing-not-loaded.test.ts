import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Everything that loads together with this file: its imports, not what it imports when it is needed. */
async function loadedWith(entry: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    packages: 'external',
    write: false,
    platform: 'node',
    format: 'esm',
    outdir: 'never-written',
    metafile: true,
    logLevel: 'silent',
  });
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { path: target, kind, external } of metafile.inputs[path]?.imports ?? []) {
      if (kind !== 'dynamic-import' && external !== true) visit(target);
      else if (external === true && kind !== 'dynamic-import') seen.add(target);
    }
  };
  visit(entry);
  return [...seen];
}

const signing = [
  'src/provenance/sign.ts',
  'src/provenance/signing.ts',
  'src/provenance/key.ts',
  'src/provenance/verify-identity.ts',
];

describe('a step that signs nothing', () => {
  it.each([
    'main',
    'line',
    'tools',
    'steps/attest',
    'steps/verify',
    'steps/build-push',
    'provenance/statements',
    'provenance/labels',
  ])('loads nothing of signing: %s', async (name) => {
    const loaded = await loadedWith(`src/${name}.ts`);
    expect(loaded.filter((path) => signing.includes(path) || path.startsWith('@sigstore/'))).toEqual([]);
  });

  it('verifying with keys loads nothing that knows certificates', async () => {
    const loaded = await loadedWith('src/provenance/verifying.ts');
    expect(
      loaded.filter((path) => path.includes('verify-identity') || path.startsWith('@sigstore/')),
    ).toEqual([]);
    expect(loaded).toContain('src/provenance/verify-bundle.ts');
  });
});

describe('in the bundle, a step that signs nothing', () => {
  let outputs: Metafile['outputs'];
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'knowngood-chunks-'));
    const script = new URL('../../../scripts/build.mjs', import.meta.url).href;
    const { bundle } = (await import(script)) as { bundle(folder: string): Promise<Metafile> };
    ({ outputs } = await bundle(folder));
    rmSync(folder, { recursive: true });
  }, 60_000);

  /** The sources in the chunks that load together with the one of this source. */
  function loadedWithChunkOf(source: string): readonly string[] {
    const [start] = Object.entries(outputs).filter(([, { entryPoint }]) => entryPoint === source);
    if (start === undefined) throw new Error(`${source} has no chunk of its own`);
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      for (const { path: target, kind, external } of outputs[path]?.imports ?? []) {
        if (kind === 'import-statement' && external !== true) visit(target);
      }
    };
    visit(start[0]);
    return [...seen].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
  }
  const ofSigning = (source: string): readonly string[] =>
    loadedWithChunkOf(source).filter((path) => signing.includes(path) || path.includes('/@sigstore/'));

  // Chunks are made of what several entries share: a line there may bring in more than the source asks for.
  it('loads no chunk with anything of signing', () => {
    const steps = Object.values(outputs).flatMap(({ entryPoint }) =>
      entryPoint?.startsWith('src/steps/') ? [entryPoint] : [],
    );
    expect(steps.length).toBeGreaterThan(10);
    for (const source of ['src/index.ts', 'src/main.ts', 'src/provenance/statements.ts', ...steps]) {
      expect([source, ofSigning(source)]).toEqual([source, []]);
    }
  });

  it('is told from one that does', () => {
    expect(ofSigning('src/provenance/signing.ts')).toContain('src/provenance/signing.ts');
    expect(ofSigning('src/provenance/verifying.ts').filter((path) => path.includes('@sigstore'))).toEqual([]);
    expect(ofSigning('src/provenance/verify-identity.ts').some((path) => path.includes('@sigstore'))).toBe(
      true,
    );
  });
});
