import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

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
