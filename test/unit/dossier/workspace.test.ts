import { existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openOutFolder } from '../../../src/dossier/workspace.ts';

const workspace = (): string => mkdtempSync(join(tmpdir(), 'knowngood-workspace-'));

describe('knowngood-out', () => {
  it('is made, and found again by the same run', () => {
    const root = workspace();
    const out = openOutFolder(root, 'run-1', []);
    writeFileSync(join(out, 'anything'), '');
    expect(openOutFolder(root, 'run-1', [])).toBe(out);
  });

  it.each<[string, (root: string) => readonly string[]]>([
    [
      'is of another run',
      (root) => {
        openOutFolder(root, 'run-0', []);
        return [];
      },
    ],
    ['has files that git tracks', () => ['knowngood-out/recipe/dossier.json']],
    [
      'is a link',
      (root) => {
        const elsewhere = workspace();
        symlinkSync(elsewhere, join(root, 'knowngood-out'));
        return [];
      },
    ],
    [
      'is a file',
      (root) => {
        writeFileSync(join(root, 'knowngood-out'), '');
        return [];
      },
    ],
    [
      'holds files of nobody',
      (root) => {
        mkdirSync(join(root, 'knowngood-out'));
        writeFileSync(join(root, 'knowngood-out', 'dossier.json'), '{}');
        return [];
      },
    ],
    [
      'has a run file that is a link',
      (root) => {
        mkdirSync(join(root, 'knowngood-out'));
        symlinkSync('/etc/hostname', join(root, 'knowngood-out', 'run.json'));
        return [];
      },
    ],
    [
      'has a run file of somebody else',
      (root) => {
        mkdirSync(join(root, 'knowngood-out'));
        writeFileSync(join(root, 'knowngood-out', 'run.json'), '{"id":7}');
        return [];
      },
    ],
  ])('is refused where it %s', (_, seed) => {
    const root = workspace();
    const tracked = seed(root);
    const before = existsSync(join(root, 'knowngood-out')) ? readdirSync(root) : [];
    expect(() => openOutFolder(root, 'run-1', tracked)).toThrow(
      expect.objectContaining({ code: 'workspace-seeded', outcome: 'error' }),
    );
    if (before.length > 0) expect(readdirSync(root)).toEqual(before);
  });

  it('may be an empty folder that somebody made', () => {
    const root = workspace();
    mkdirSync(join(root, 'knowngood-out'));
    expect(openOutFolder(root, 'run-1', [])).toBe(join(root, 'knowngood-out'));
  });
});
