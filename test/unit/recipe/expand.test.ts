import { describe, expect, it } from 'vitest';
import { expand } from '../../../src/recipe/expand.ts';

const values: Readonly<Record<string, string>> = { A: 'one', B: 'x.y.z', E: '', P: 'a/b/c.tar.gz' };
const lookup = (name: string) => values[name];

// The rows of BuildKit's own documentation of variables, and what its shell lexer does besides.
describe('expand', () => {
  it.each<[string, string]>([
    ['plain', 'plain'],
    ['$A', 'one'],
    ['$A.b', 'one.b'],
    ['${A}b', 'oneb'],
    ['a${A}${A}', 'aoneone'],
    ['$E', ''],
    ['\\$A', '$A'],
    ["'$A'", '$A'],
    ['"$A"', 'one'],
    ['"a\\"b\\$A"', 'a"b$A'],
    ['"a\\b"', 'a\\b'],
    ['a\\b', 'ab'],
    ['a\'b\'"c"d', 'abcd'],
    ['$', '$'],
    ['a$/b', 'a$/b'],
    ['${A:-no}', 'one'],
    ['${E:-no}', 'no'],
    ['${E-no}', ''],
    ['${X-no}', 'no'],
    ['${X:-$A}', 'one'],
    ['${X:-${Y:-deep}}', 'deep'],
    ['${A:-$X}', 'one'],
    ['${A:+yes}', 'yes'],
    ['${E:+yes}', ''],
    ['${E+yes}', 'yes'],
    ['${X:+$Y}', ''],
    ['${A:?why}', 'one'],
    ['${B#*.}', 'y.z'],
    ['${B##*.}', 'z'],
    ['${B%.*}', 'x.y'],
    ['${B%%.*}', 'x'],
    ['${B%?}', 'x.y.'],
    ['${B#nothing}', 'x.y.z'],
    ['${B/./-}', 'x-y.z'],
    ['${B//./-}', 'x-y-z'],
    ['${B/.}', 'xy.z'],
    ['${P%.tar.gz}', 'a/b/c'],
    ['${P##*/}', 'c.tar.gz'],
  ])('%s is %s', (word, text) => {
    expect(expand(word, lookup)).toEqual({ text });
  });

  it.each<[string, object]>([
    ['$X', { missing: 'X' }],
    ['a${X}', { missing: 'X' }],
    ['${E:-$X}', { missing: 'X' }],
    ['${X#a}', { missing: 'X' }],
    ['$1', { missing: '1' }],
    ['${X:?say it}', { wrong: '`X` has no value: say it' }],
    ['${E:?}', { wrong: '`E` has no value' }],
    ['${A', { wrong: expect.stringContaining('unknown form') }],
    ['${A:-b', { wrong: expect.stringContaining('closing brace') }],
    ['${}', { wrong: expect.stringContaining('without a name') }],
    ['${A^^}', { wrong: expect.stringContaining('unknown form') }],
    ['"a', { wrong: expect.stringContaining('closing quote') }],
    ["'a", { wrong: expect.stringContaining('closing quote') }],
  ])('%s is %j', (word, expected) => {
    expect(expand(word, lookup)).toEqual(expected);
  });

  it('takes another escape character', () => {
    expect(expand('`$A\\b', lookup, '`')).toEqual({ text: '$A\\b' });
  });

  it('reads compose files: quotes and escapes are text there, and two dollars are one', () => {
    expect(expand('"$A" \'$A\' \\$$A$$$A', lookup, '')).toEqual({ text: '"one" \'one\' \\$A$one' });
  });

  describe('played by somebody hostile', () => {
    it.each<[string, string]>([
      ['${A:-'.repeat(1000) + '}'.repeat(1000), 'too deeply'],
      ['$L'.repeat(1000), 'too long'],
      ['${L:-x}'.repeat(1000), 'too long'],
      ['${A//*a*a*a*/x}', 'wildcards'],
    ])('%.20s… ends', (word, wrong) => {
      const long = (name: string) =>
        name === 'L' ? 'x'.repeat(1000) : name === 'A' ? undefined : lookup(name);
      expect(expand(word, (name) => (name === 'A' && word.includes('//') ? 'a' : long(name)))).toEqual({
        wrong: expect.stringContaining(wrong),
      });
    });
  });
});
