import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileInside } from '../../../src/dossier/file-inside.ts';

const workspace = (): string => mkdtempSync(join(tmpdir(), 'knowngood-inside-'));

describe('a file that a setting names', () => {
  it.each([
    ['a.json', 'a.json'],
    ['./new/folder//a.json', 'new/folder/a.json'],
    ['there/a.json', 'there/a.json'],
  ])('%s is in the workspace', (path, expected) => {
    const root = workspace();
    mkdirSync(join(root, 'there'));
    expect(fileInside(root, path, 'board')).toBe(join(root, expected));
  });

  it.each(['', '.', '/etc/a.json', '../a.json', 'there/../../a.json', '..', 'a\nb', 'a\0b'])(
    '%j is refused',
    (path) => {
      expect(() => fileInside(workspace(), path, 'board')).toThrow(
        expect.objectContaining({ code: 'path-outside', message: expect.stringContaining('`board`') }),
      );
    },
  );

  it.each<[string, (root: string) => void]>([
    ['a link to a folder elsewhere', (root) => symlinkSync(workspace(), join(root, 'there'))],
    ['a link to nothing', (root) => symlinkSync('/nowhere', join(root, 'there'))],
    ['a file', (root) => writeFileSync(join(root, 'there'), '')],
  ])('does not lead through %s', (_, plant) => {
    const root = workspace();
    plant(root);
    expect(() => fileInside(root, 'there/a.json', 'dossier')).toThrow(
      expect.objectContaining({ code: 'path-outside' }),
    );
  });
});
