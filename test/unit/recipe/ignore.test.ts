import { describe, expect, it } from 'vitest';
import { readIgnoreRules } from '../../../src/recipe/ignore.ts';

const ignored = (rules: string, paths: readonly string[]) => {
  const read = readIgnoreRules(Buffer.from(rules), '.dockerignore');
  return paths.filter((path) => read.ignores(path));
};

// What moby/patternmatcher 0.6 says, which the Docker command line uses; test/integration/recipe asks a real one.
describe('ignore rules', () => {
  it.each<[string, string, string[], string[]]>([
    ['a name at the root only', 'a', ['a', 'a/b', 'b/a'], ['a', 'a/b']],
    ['one level', '*/a', ['a', 'b/a', 'b/a/c', 'c/b/a'], ['b/a', 'b/a/c']],
    ['any level', '**/a', ['a', 'b/a', 'c/b/a/d', 'ba'], ['a', 'b/a', 'c/b/a/d']],
    ['below', 'a/**', ['a', 'a/b', 'a/b/c'], ['a/b', 'a/b/c']],
    ['in between', 'a/**/b', ['a/b', 'a/x/b', 'a/x/y/b/c', 'b'], ['a/b', 'a/x/b', 'a/x/y/b/c']],
    ['everything', '**', ['a', 'a/b'], ['a', 'a/b']],
    ['an ending', '*.md', ['a.md', 'b/a.md', '.md'], ['a.md', '.md']],
    ['an ending anywhere, as today', '**.md', ['a.md', 'b/a.md', 'b.md/c'], ['a.md', 'b/a.md', 'b.md/c']],
    ['two stars in a word', 'a**b', ['ab', 'ax/b', 'ax/y/b/c', 'acb'], ['ab', 'ax/b', 'ax/y/b/c']],
    ['one character', 'a?c', ['abc', 'a/c', 'ac', 'a😀c'], ['abc', 'a😀c']],
    ['a class', 'a[b-d]', ['ac', 'ae', 'a-'], ['ac']],
    ['not in a class', 'a[^b]', ['ab', 'ac'], ['ac']],
    ['upper and lower case', 'README', ['README', 'readme'], ['README']],
    ['a slash in front', '/a', ['a', 'b/a'], ['a']],
    ['a slash behind', 'a/', ['a', 'a/b'], ['a', 'a/b']],
    ['dots and double slashes', './a//b/../c', ['a/c', 'a/b'], ['a/c']],
    ['a climb', '../a', ['a', '../a'], ['../a']],
    ['the last rule wins', 'a\n!a/b\na/b/c', ['a/x', 'a/b', 'a/b/c', 'a/b/d'], ['a/x', 'a/b/c']],
    ['all but', '*\n!a', ['a', 'a/b', 'b'], ['b']],
    ['spaces around', '  a  \n ! b\n', ['a', 'b'], ['a']],
    ['comments', '# a\n#b\na#', ['# a', '#b', 'a#'], ['a#']],
    ['a # that is no comment', ' #b', ['#b'], ['#b']],
    ['a ! that is no rule', '\\!a', ['!a', 'a'], ['!a']],
    ['CRLF', 'a\r\n!a/b\r\n', ['a/c', 'a/b'], ['a/c']],
    ['a byte order mark', '\ufeffa\nb', ['a', 'b'], ['a', 'b']],
    ['a byte order mark before a comment', '\ufeff#a\nb', ['a', '#a', 'b'], ['b']],
    ['empty lines', '\n\n  \na\n', ['a', 'b'], ['a']],
    ['spaces inside', 'a b', ['a b', 'a'], ['a b']],
    [
      'signs of regular expressions',
      'a+b\nc(1)\n{x}\n^z\n$d\ne|f',
      ['a+b', 'aab', 'c(1)', 'c1', '{x}', '^z', '$d', 'e|f', 'e'],
      ['a+b', 'c(1)', '{x}', '^z', '$d', 'e|f'],
    ],
    ['signs among wildcards', '*a+*\n*(1)*', ['xa+x', 'xaax', 'x(1)', 'x1'], ['xa+x', 'x(1)']],
    ['an escaped star', 'a\\*', ['a*', 'ab'], ['a*']],
    ['letters beyond ASCII', '*é', ['caf\u00e9', 'cafe\u0301'], ['café']],
    [
      'names that JavaScript has already',
      '*',
      ['constructor', 'toString', '__proto__', 'valueOf'],
      ['constructor', 'toString', '__proto__', 'valueOf'],
    ],
    ['the same, kept', '*\n!constructor', ['constructor', 'toString'], ['toString']],
  ])('%s', (_, rules, paths, expected) => {
    expect(ignored(rules, paths)).toEqual(expected);
  });

  it('says whether a rule brings something back', () => {
    const exceptions = (text: string) => readIgnoreRules(Buffer.from(text), 'x').exceptions;
    expect([exceptions('a\n#!b'), exceptions('a\n!b')]).toEqual([false, true]);
  });

  it.each(['!', ' ! ', '[a', '[]a]', '[a-]', 'a\\', '[z-a]', 'x/[^]'])(
    '%s is refused with its line',
    (pattern) => {
      const read = () => readIgnoreRules(Buffer.from(`ok\n${pattern}\n`), '.dockerignore');
      expect(read).toThrow(/^\.dockerignore:2: /);
      expect(read).toThrow(expect.objectContaining({ code: 'ignore-invalid' }));
    },
  );
});
