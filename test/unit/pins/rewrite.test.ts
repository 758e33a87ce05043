import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { readPinFile } from '../../../src/pins/read-file.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;

function pinsIn(file: string, text: string, others: Readonly<Record<string, string>> = {}) {
  return readPinFile(file, Buffer.from(text), (path) => others[path]);
}

const compose = (image: string): string => `services:\n  app:\n    image: ${image}\n`;

describe('the replacement of a pin', () => {
  it.each([
    ['compose.yml', compose('acme/app:1.0.0'), 'acme/app:1.1.0'],
    ['compose.yml', compose('"acme/app:1.0.0"'), 'acme/app:1.1.0'],
    ['compose.yml', compose('acme/app'), 'acme/app:1.1.0'],
    ['compose.yml', compose('acme/app:${V:-1.0.0}'), 'acme/app:${V:-1.1.0}'],
    ['compose.yml', compose('${IMAGE:-acme/app:1.0.0}'), '${IMAGE:-acme/app:1.1.0}'],
    // The name has the old version in it too.
    ['compose.yml', compose('acme/1.0.0/app:1.0.0'), 'acme/1.0.0/app:1.1.0'],
    ['Dockerfile', 'FROM acme/app:1.0.0 AS x\n', 'acme/app:1.1.0'],
    ['Dockerfile', 'ARG V="1.0.0"\nFROM acme/app:$V\n', '1.1.0'],
    ['Dockerfile', 'ARG V=1.0.0\nFROM acme/app:$V-alpine\n', undefined],
    ['values.yaml', 'image:\n  repository: acme/app\n  tag: 1.0.0\n', '1.1.0'],
    [
      'deploy/x.yaml',
      'apiVersion: v1\nkind: Pod\nspec: {containers: [{image: acme/app:1.0.0}]}\n',
      'acme/app:1.1.0',
    ],
  ])('in %s: %j becomes %j', (file, text, replacement) => {
    const [pin, ...more] = pinsIn(file, text).pins;
    expect(more).toEqual([]);
    expect(pin?.rewrite({ tag: '1.1.0' })).toBe(replacement);
  });

  it('stands in the env file where that decides', () => {
    const { pins } = pinsIn('app/compose.yml', compose('acme/app:${V}'), {
      'app/.env': 'A=1\nV=1.0.0 # now\n',
    });
    expect(pins[0]?.at).toEqual({ file: 'app/.env', line: 2, column: 3 });
    expect(pins[0]?.usedAt).toEqual({ file: 'app/compose.yml', line: 3, column: 12 });
    expect(pins[0]?.rewrite({ tag: '1.1.0' })).toBe('1.1.0');
  });

  it('takes a variable without a value for what it is', () => {
    const { pins, unreadable } = pinsIn('compose.yml', compose('acme/app:${V}'));
    expect(pins).toEqual([]);
    expect(unreadable).toEqual([
      { at: { file: 'compose.yml', line: 3, column: 12 }, why: '`V` has no value here' },
    ]);
  });

  it.each([
    [`acme/app:1.0.0@${digest('a')}`, { tag: '1.1.0', digest: digest('b') }, `acme/app:1.1.0@${digest('b')}`],
    [`acme/app:1.0.0@${digest('a')}`, { tag: '1.0.0', digest: digest('b') }, `acme/app:1.0.0@${digest('b')}`],
    [`acme/app@${digest('a')}`, { digest: digest('b') }, `acme/app@${digest('b')}`],
    [`acme/app@${digest('a')}`, { tag: '1.1.0', digest: digest('b') }, `acme/app:1.1.0@${digest('b')}`],
    ['acme/app:1.0.0', { tag: '1.0.0', digest: digest('b') }, `acme/app:1.0.0@${digest('b')}`],
  ])('of %s to %j', (image, wanted, replacement) => {
    expect(pinsIn('compose.yml', compose(image)).pins[0]?.rewrite(wanted)).toBe(replacement);
  });
});

describe('hostile files', () => {
  it('may multiply by merges and aliases: said, not followed', () => {
    const level = (n: number): string =>
      `x${n}: &x${n} {<<: [${Array.from({ length: 10 }, () => `*x${n - 1}`).join(', ')}], k${n}: 1}\n`;
    const text = `x0: &x0 {image: acme/app:1}\n${[1, 2, 3, 4, 5, 6, 7, 8].map(level).join('')}services:\n  a: *x8\n`;
    const { pins, unreadable } = pinsIn('compose.yml', text);
    expect(pins).toEqual([]);
    expect(unreadable[0]?.why).toMatch(/more aliases/);
  });

  it('may refer to themselves', () => {
    const { pins } = pinsIn('compose.yml', 'services:\n  a: &a\n    <<: *a\n    image: acme/app:1\n');
    expect(pins).toHaveLength(1);
  });

  it('may be nested more deeply than a parser goes', () => {
    const { pins, unreadable } = pinsIn('compose.yml', `a: ${'['.repeat(200_000)}`);
    expect(pins).toEqual([]);
    expect(unreadable).toHaveLength(1);
  });
});
