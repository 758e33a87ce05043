import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { insideTree } from '../../../src/harness/binds.ts';

/** A candidate's tree as a stranger makes it, with links that lead to the host. */
function tree(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'knowngood-tree-')));
  const folder = join(root, 'tree');
  for (const path of ['conf', '.git', 'sub/.git', 'knowngood-out'])
    mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, 'conf', 'app.conf'), 'a\n');
  writeFileSync(join(root, 'beside'), 'secret\n');
  symlinkSync('/etc', join(folder, 'etc'));
  symlinkSync('../beside', join(folder, 'beside'));
  symlinkSync('conf', join(folder, 'own'));
  symlinkSync('.git', join(folder, 'history'));
  symlinkSync('nowhere', join(folder, 'lost'));
  return folder;
}

describe('a bind of a recipe', () => {
  it.each([
    ['./conf', 'conf'],
    ['conf/app.conf', 'conf/app.conf'],
    ['./own', 'conf'],
    ['.', ''],
  ])('%s is in its tree', (source, expected) => {
    const folder = tree();
    expect(insideTree(folder, source)).toBe(join(folder, expected));
  });

  it.each([
    './etc',
    './etc/passwd',
    './beside',
    '..',
    '../beside',
    '/etc',
    '/',
    './.git',
    './sub/.git',
    './history',
    './knowngood-out',
    './lost',
    './absent',
    '/dev/null',
  ])('%s shows a container nothing of the host', (source) => {
    expect(() => insideTree(tree(), source)).toThrow(expect.objectContaining({ code: 'path-outside' }));
  });
});
