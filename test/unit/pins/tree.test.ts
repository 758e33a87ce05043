import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { pathPattern } from '../../../src/pins/patterns.ts';
import { readPins } from '../../../src/pins/read-tree.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function tree(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'knowngood-pins-'));
  folders.push(folder);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const compose = 'services:\n  a:\n    image: acme/app:1.0.0\n';

describe('patterns', () => {
  it.each([
    ['compose.yml', 'compose.yml', true],
    ['compose.yml', 'a/compose.yml', false],
    ['./compose.yml', 'compose.yml', true],
    ['**/compose.yml', 'compose.yml', true],
    ['**/compose.yml', 'a/b/compose.yml', true],
    ['deploy/**/*.yaml', 'deploy/x.yaml', true],
    ['deploy/**/*.yaml', 'deploy/a/b/x.yaml', true],
    ['deploy/**/*.yaml', 'deploy/x.yml', false],
    ['deploy/', 'deploy/a/x', true],
    ['*.yml', 'a/b.yml', false],
    ['a?.yml', 'ab.yml', true],
    ['{a,b}.{yml,yaml}', 'b.yaml', true],
    ['{a,b}.{yml,yaml}', 'c.yaml', false],
    ['a.b', 'axb', false],
    ['(a|b)', '(a|b)', true],
  ])('%s over %s: %s', (pattern, path, matches) => expect(pathPattern(pattern).test(path)).toBe(matches));
});

describe('a tree', () => {
  it('without patterns has its usual files read, not those of tests and other people', async () => {
    const folder = tree({
      'compose.yml': compose,
      'ops/docker-compose.prod.yaml': compose,
      'node_modules/x/compose.yml': compose,
      'test/compose.yml': compose,
      'notes/some.yml': compose,
      '.git/compose.yml': compose,
      'knowngood-out/compose.yml': compose,
    });
    expect((await readPins({ folder, patterns: [] })).files).toEqual([
      'compose.yml',
      'ops/docker-compose.prod.yaml',
    ]);
    expect((await readPins({ folder, patterns: ['**/*.yml'] })).files).toEqual([
      'compose.yml',
      'node_modules/x/compose.yml',
      'notes/some.yml',
      'test/compose.yml',
    ]);
  });

  it('has a file that is too large told, and the others read', async () => {
    const folder = tree({
      'compose.yml': compose,
      'compose.big.yml': `#${'x'.repeat(1024 * 1024)}\n${compose}`,
    });
    const { pins, unreadable } = await readPins({ folder, patterns: [] });
    expect(pins).toHaveLength(1);
    expect(unreadable).toEqual([
      {
        at: { file: 'compose.big.yml', line: 1, column: 1 },
        why: 'it is larger than 1 MiB, or no regular file',
      },
    ]);
  });

  it.each(['../outside.yml', '/etc/passwd', 'link.yml', 'linked/compose.yml'])(
    'is not left by the path %s',
    async (path) => {
      const folder = tree({ 'real/compose.yml': compose });
      symlinkSync('/etc/passwd', join(folder, 'link.yml'));
      symlinkSync(join(folder, 'real'), join(folder, 'linked'));
      await expect(readPins({ folder, patterns: [path] })).rejects.toMatchObject({ code: 'path-outside' });
    },
  );

  it('has links passed over by patterns', async () => {
    const folder = tree({ 'real/compose.yml': compose });
    symlinkSync('/etc/passwd', join(folder, 'compose.yml'));
    symlinkSync('/', join(folder, 'root'));
    expect((await readPins({ folder, patterns: ['**/compose.yml'] })).files).toEqual(['real/compose.yml']);
  });

  it('has an env file that is a link count as none', async () => {
    const folder = tree({
      'compose.yml': 'services:\n  a: {image: "acme/app:${SECRET}"}\n',
      secret: 'SECRET=1\n',
    });
    symlinkSync(join(folder, 'secret'), join(folder, '.env'));
    const { pins, unreadable } = await readPins({ folder, patterns: ['compose.yml'] });
    expect(pins).toEqual([]);
    expect(unreadable[0]?.why).toBe('`SECRET` has no value here');
  });
});
