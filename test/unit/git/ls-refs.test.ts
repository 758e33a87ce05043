import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRefs } from '../../../src/git/ls-refs.ts';
import { Failure } from '../../../src/outcome.ts';

const line = (text: string): string =>
  `${(Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')}${text}`;
const id = (digit: string, length = 40): string => digit.repeat(length);
const read = (...parts: string[]) => readRefs(Buffer.from(parts.join('')));

describe('the answer of ls-refs', () => {
  it('has names, objects and what they are peeled to', () => {
    const refs = read(
      line(`${id('a')} refs/tags/1.0.0\n`),
      line(`${id('b')} refs/tags/ünï/1.1.0 peeled:${id('c')}\n`),
      '0000',
    );
    expect([...refs!]).toEqual([
      ['1.0.0', { object: id('a'), commit: id('a') }],
      ['ünï/1.1.0', { object: id('b'), commit: id('c') }],
    ]);
  });

  it('may be empty: a repository without tags', () => expect(read('0000')?.size).toBe(0));

  it('may be of a repository of sha256', () => {
    const refs = read(line(`${id('a', 64)} refs/tags/1.0.0\n`), '0000');
    expect(refs?.get('1.0.0')?.commit).toBe(id('a', 64));
  });

  it.each<[string, string[]]>([
    [
      'the greeting of version 0',
      [line('# service=git-upload-pack\n'), '0000', line(`${id('a')} HEAD\0x\n`), '0000'],
    ],
    ['the capabilities of version 2', [line('version 2\n'), line('ls-refs=unborn\n'), '0000']],
    ['an error of the server', [line('ERR access denied\n'), '0000']],
    ['a ref that nobody asked for', [line(`${id('a')} refs/heads/main\n`), '0000']],
    ['an id of no known length', [line(`${id('a', 41)} refs/tags/1\n`), '0000']],
  ])('%s is for git itself to ask', (_name, parts) => {
    expect(read(...parts)).toBeUndefined();
  });

  it.each<[string, string[]]>([
    ['nothing at all', []],
    ['no flush', [line(`${id('a')} refs/tags/1.0.0\n`)]],
    ['half a line', [line(`${id('a')} refs/tags/1.0.0\n`).slice(0, 30)]],
    ['a length that is none', ['zzzz']],
    ['a length below its own', ['0003']],
  ])('%s is a failure, not a list', (_name, parts) => {
    expect(() => read(...parts)).toThrow(Failure);
  });

  it('cut anywhere before its end, it is never a shorter list', () => {
    const whole = Buffer.from(
      ['1.0.0', '1.1.0', '2.0.0']
        .map((tag) => line(`${id('a')} refs/tags/${tag}\n`))
        .join('')
        .concat('0000'),
    );
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (at) => {
        expect(() => readRefs(whole.subarray(0, at))).toThrow(Failure);
      }),
    );
  });
});
