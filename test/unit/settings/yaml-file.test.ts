import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/outcome.ts';
import { readRecipeFile } from '../../../src/settings/recipe-file.ts';
import { CONFIG_LIMIT, readYaml } from '../../../src/settings/yaml-file.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string) => readRecipeFile(bytes(text), 'knowngood.yml');

function failureOf(run: () => unknown): Failure {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was read');
}

const messages = (text: string) => failureOf(() => read(text)).findings.map(({ message }) => message);

describe('a mistake', () => {
  it.each([
    // Keys.
    ['enroled: true', '1:1: `enroled` is not known; did you mean `enrolled`.'],
    ['image: a/b\nknown_broken: []', '2:1: `known_broken` is not known; did you mean `known-broken`.'],
    ['colour: red', '1:1: `colour` is not known.'],
    ['drift:\n  pin: [a]', '2:3: `drift.pin` is not known; did you mean `pins`.'],
    [
      'known-broken:\n  - { version: "1", untill: 2027-01-01 }',
      '2:21: `known-broken[0].untill` is not known; did you mean `until`.',
    ],
    [
      'test:\n  target:\n    servise: app',
      '3:5: `test.target.servise` is not known; did you mean `service`.',
    ],
    // Kinds of value.
    ['enrolled: "yes"', '1:1: `enrolled` must be `true` or `false`, not "yes".'],
    ['image: [a]', '1:1: `image` must be text, not Array.'],
    ['image: 5', '1:1: `image` must be text, not 5.'],
    ['image: ""', '1:1: `image` must not be empty.'],
    ['drift: { pins: compose.yml }', '1:10: `drift.pins` must be a list, not "compose.yml".'],
    [
      'test: { deploy: helm }',
      '1:9: `test.deploy` must be `image` or `compose` or `swarm` or `commands`, not "helm".',
    ],
    ['drift: []', '1:1: `drift` must be a map, not a list.'],
    ['test:\n  env: [A=1]', '2:3: `test.env` must be a map, not a list.'],
    ['- a', '1:1: must be a map, not a list.'],
    // Values.
    ['recipe: Hedge/Doc', '1:1: `recipe` must be lower-case letters, digits, `.`, `_` and `-`, at most 64.'],
    [
      'known-broken: [{ version: "1", until: tomorrow }]',
      '1:32: `known-broken[0].until` must be a day such as 2027-01-01.',
    ],
    ['version: { from: readme }', '1:12: `version.from` must be `tag`, `label` or `file: { path, key }`.'],
    ['version: { from: { file: { key: v } } }', '1:20: `version.from.file.path` is missing.'],
    ['expected-na: { upgrade: {} }', '1:16: `expected-na.upgrade.reason` is missing.'],
    ['test: { timeout: soon }', /^1:9: `test\.timeout` .*soon/],
    [
      'test:\n  ready: { http: /a, tcp: 1 }',
      '2:3: `test.ready` needs exactly one of `http`, `tcp`, `exec` and `healthcheck`.',
    ],
    // Versions without quotes are numbers, and 1.10 would be 1.1.
    ['upgrade-base: 1.0', '1:1: `upgrade-base` must be a version in quotes, or { version, for, until }.'],
    [
      'upgrade-base: { version: 1.10 }',
      '1:17: `upgrade-base.version` must be a text; put the version in quotes.',
    ],
    [
      'known-broken:\n  - 1.0',
      '2:5: `known-broken[0]` must be a version in quotes, or { version, reason, until }.',
    ],
    // YAML itself.
    ['image: a\nimage: b', /^2:1: Map keys must be unique/],
    ['image: "a', /^1:10: Missing closing "quote/],
    ['a: b: c', /^1:\d+: Nested mappings are not allowed/],
    ['image: a\n---\nimage: b', '2:1: A second document begins here; one is read.'],
    ['image: *nobody', '1:8: No anchor `&nobody` stands before this.'],
    ['\timage: a', /^1:1: /],
  ])('%j is told with its place', (text, expected) => {
    const [first] = messages(text);
    const told = first?.replace(/^knowngood\.yml:/, '');
    if (typeof expected === 'string') expect(told).toBe(expected);
    else expect(told).toMatch(expected);
  });

  it('does not hide the others: all are told, each with its own place', () => {
    const failure = failureOf(() => read('enroled: true\nimage: 5\ndrift: { pin: [] }\n'));
    expect(failure.code).toBe('config-invalid');
    expect(failure.findings.map(({ at }) => `${at?.file}:${at?.line}:${at?.column}`).sort()).toEqual([
      'knowngood.yml:1:1',
      'knowngood.yml:2:1',
      'knowngood.yml:3:10',
    ]);
    expect(failure.message).toMatch(/ \(and 2 more\)$/);
  });

  it('after the tenth is left out', () => {
    const many = Array.from({ length: 40 }, (_, nth) => `wrong${nth}: 1`).join('\n');
    expect(messages(many)).toHaveLength(10);
  });
});

describe('a hostile file', () => {
  it('of aliases of aliases is refused before it grows', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let nth = 1; nth <= 9; nth++) {
      lines.push(`a${nth}: &a${nth} [${Array.from({ length: 10 }, () => `*a${nth - 1}`).join(', ')}]`);
    }
    expect(messages(lines.join('\n'))).toEqual(['knowngood.yml:1:1: There are more than 64 aliases.']);
  });

  it.each(['image: &a [*a]', 'drift: &a { pins: [*a] }', 'test: &a { test: *a }', '&a [*a]'])(
    'that holds itself is refused: %s',
    (text) => {
      expect(failureOf(() => read(text)).code).toBe('config-invalid');
    },
  );

  it('of the largest size is read, and one byte more is not', () => {
    const fill = (size: number) => `#${' '.repeat(size - 1)}`;
    expect(read(fill(CONFIG_LIMIT)).value).toMatchObject({ enrolled: true });
    expect(messages(fill(CONFIG_LIMIT + 1))).toEqual([
      'knowngood.yml: The file is larger than 262144 bytes.',
    ]);
  });

  it('that is no UTF-8 is refused', () => {
    expect(failureOf(() => readRecipeFile(Uint8Array.of(0xff, 0xfe), 'k')).message).toContain('not UTF-8');
  });

  it.each(['__proto__: { enrolled: false }', 'constructor: x', 'test: { env: { __proto__: x } }'])(
    'reaches no prototype: %s',
    (text) => {
      try {
        read(text);
      } catch (error) {
        expect(error).toMatchObject({ code: 'config-invalid' });
      }
      expect(({} as Record<string, unknown>).enrolled).toBeUndefined();
    },
  );

  it('of any bytes is read or refused with its place, and never breaks', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (content) => {
        try {
          readRecipeFile(content, 'k');
        } catch (error) {
          expect(error).toMatchObject({ code: 'config-invalid' });
        }
      }),
    );
  });

  it('of any text that is nearly YAML, too', () => {
    const piece = fc.constantFrom(
      ...[
        'a',
        ': ',
        '- ',
        '\n',
        '  ',
        '[',
        ']',
        '{',
        '}',
        '"',
        "'",
        '&x ',
        '*x',
        '!!',
        '|',
        '>',
        '---\n',
        '#',
        '\t',
      ],
      ...['image', 'known-broken', 'test', '<<', '? ', '1.0', '\u0000', '%YAML 1.1\n', '...'],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          read(pieces.join(''));
        } catch (error) {
          expect(error).toMatchObject({ code: 'config-invalid' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a file that is fine', () => {
  it.each(['', '# nothing yet\n', '---\n', '{}'])('may say nothing: %j', (text) => {
    expect(read(text).value).toMatchObject({ enrolled: true, 'known-broken': [] });
  });

  it('that is not there has the defaults, and says that it is not there', () => {
    expect(readRecipeFile(undefined, 'knowngood.yml')).toMatchObject({
      exists: false,
      value: { enrolled: true },
    });
    expect(read('')).toMatchObject({ exists: true });
  });

  it('is YAML 1.2: no, on and days are texts', () => {
    const file = read('image: no\nknown-broken: [{ version: on, until: 2027-01-01 }]\n');
    expect(file.value).toMatchObject({
      image: 'no',
      'known-broken': [{ version: 'on', until: '2027-01-01' }],
    });
  });

  it('may use aliases as people do', () => {
    expect(read('image: &i a/b\nrecipe: x\ndrift: { pins: [*i] }\n').value.drift).toEqual({ pins: ['a/b'] });
  });

  it('lies over the defaults of a fleet map by map; what it says counts, lists are taken whole', () => {
    const below = { enrolled: false, image: 'a/b', drift: { pins: ['x', 'y'] }, releases: { tags: 'v*' } };
    const file = readRecipeFile(
      bytes('enrolled: true\ndrift: { pins: [z] }\nreleases: { branch: b }'),
      'k',
      below,
    );
    expect(file.value).toMatchObject({
      enrolled: true,
      image: 'a/b',
      drift: { pins: ['z'] },
      releases: { tags: 'v*', branch: 'b' },
    });
  });

  it('is not spared the mistakes of those defaults', () => {
    const failure = failureOf(() => readRecipeFile(bytes('image: a/b'), 'k', { enroled: true }));
    expect(failure.message).toBe('k:1:1: `enroled` is not known; did you mean `enrolled`.');
  });
});

describe('places', () => {
  const text = [
    '# what we learnt', // 1
    'image: a/b', // 2
    'known-broken:', // 3
    '  - version: "3.0.0"', // 4
    '    reason: >', // 5
    '      entrypoint', // 6
    '      is gone', // 7
    '  - "3.0.1"  # too', // 8
    'upgrade-base:', // 9
    '  version: "2.9.0"', // 10
    '  until: 2027-01-01', // 11
    'drift: { pins: [a, b] }', // 12
  ];
  const file = read(`${text.join('\n')}\n`);

  it.each([
    [['image'], 2, 1],
    [['known-broken', 0], 4, 5],
    [['known-broken', 0, 'reason'], 5, 5],
    [['known-broken', 1], 8, 5],
    [['upgrade-base', 'until'], 11, 3],
    [['drift', 'pins', 1], 12, 20],
    // What is not there is looked for at what would hold it.
    [['known-broken', 7], 3, 1],
    [['upgrade-base', 'for'], 9, 1],
    [['test', 'ready'], 1, 1],
    [[], 1, 1],
  ])('of %j are line %i, column %i', (path, line, column) => {
    expect(file.at(path)).toEqual({ file: 'knowngood.yml', line, column });
  });

  it.each([
    [['image'], 2, 2],
    [['known-broken'], 3, 8],
    [['known-broken', 0], 4, 7],
    [['known-broken', 1], 8, 8],
    [['upgrade-base'], 9, 11],
    [['upgrade-base', 'until'], 11, 11],
  ])('to delete for %j are %i to %i', (path, first, last) => {
    expect(file.linesOf(path)).toEqual({
      file: 'knowngood.yml',
      first,
      last,
      text: text.slice(first - 1, last),
    });
  });

  it('to delete are those of the whole key where it is the only item', () => {
    const one = read('image: a\nknown-broken:\n  - version: "1"\n    until: 2027-01-01\n');
    expect(one.linesOf(['known-broken', 0])).toMatchObject({ first: 2, last: 4 });
    const deep = read('image: a\ntest:\n  target:\n    port: 1\n');
    expect(deep.linesOf(['test', 'target', 'port'])).toMatchObject({ first: 2, last: 4 });
  });

  it('leave a file that is still read, without what was deleted', () => {
    for (const path of [['known-broken', 0], ['known-broken', 1], ['upgrade-base'], ['image']]) {
      const { first, last } = file.linesOf(path);
      const rest = read([...text.slice(0, first - 1), ...text.slice(last)].join('\n'));
      expect(rest.value).not.toEqual(file.value);
    }
  });

  it('are right in files with Windows line ends, too', () => {
    const windows = read('image: a\r\nknown-broken:\r\n  - "1"\r\n  - "2"\r\n');
    expect(windows.linesOf(['known-broken', 1])).toMatchObject({ first: 4, last: 4, text: ['  - "2"'] });
  });

  it('are told for rules that no schema can say', () => {
    const failure = file.wrong(['known-broken', 1], 'is listed twice');
    expect(failure).toMatchObject({ code: 'config-invalid' });
    expect(failure.message).toBe('knowngood.yml:8:5: `known-broken[1]` is listed twice.');
  });

  it('are found through aliases', () => {
    const schema = v.looseObject({});
    const aliased = readYaml(schema, 'f', bytes('a: &a\n  b: 1\nc: *a\n'));
    expect(aliased.at(['c', 'b'])).toEqual({ file: 'f', line: 2, column: 3 });
  });
});
